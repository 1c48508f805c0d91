"""What people put on a PDF page after it was made: fields that they filled in, notes, stamps and strokes.

pdfium draws it, yet no text layer holds it. Runs in the sandbox's child only.
"""

from typing import Any

import pypdfium2.raw as raw

_WRITTEN = (raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_INK, raw.FPDF_ANNOT_WATERMARK)
_UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_TYPED = (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
_TICKED = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_NORMAL = raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL
_EMPTY = 2
"""Bytes of a text of UTF-16 without a letter, as pdfium counts them: there is a zero at its end."""
_MOST = 2000


def are_written(page: Any) -> bool:
    """Whether a person sees something on the page that was written, stamped or filled in beside its text."""
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if _is_written(page, annotation):
                return True
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return False


def _is_written(page: Any, annotation: Any) -> bool:
    if raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return False
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    return kind in _WRITTEN or (kind == raw.FPDF_ANNOT_WIDGET and _is_filled(page, annotation))


def _is_filled(page: Any, field: Any) -> bool:
    """Whether a field holds something that is drawn: a text, a tick, or a signature with a picture."""
    if page.formenv is None:
        return False
    kind = raw.FPDFAnnot_GetFormFieldType(page.formenv, field)
    if kind in _TYPED:
        return bool(raw.FPDFAnnot_GetFormFieldValue(page.formenv, field, None, 0) > _EMPTY)
    if kind in _TICKED:
        return bool(raw.FPDFAnnot_IsChecked(page.formenv, field))
    return bool(kind == raw.FPDF_FORMFIELD_SIGNATURE and raw.FPDFAnnot_GetAP(field, _NORMAL, None, 0) > _EMPTY)
