"""The fields of a proof of delivery, by the names of UBL's ReceiptAdvice."""

from models.documents.common import spec
from tallyman.domain.field import Kind

FIELDS = (
    spec("pod_number", Kind.IDENTIFIER, "ReceiptAdvice ID", "Number", required=True),
    spec("waybill_number", Kind.IDENTIFIER, "Shipment ID", "Waybill"),
    spec("purchase_order_reference", Kind.IDENTIFIER, "OrderReference ID", "Purchase order"),
    spec("shipper_name", Kind.TEXT, "DespatchSupplierParty", "Shipper"),
    spec("consignee_name", Kind.TEXT, "DeliveryCustomerParty", "Consignee"),
    spec("carrier_name", Kind.TEXT, "CarrierParty", "Carrier"),
    spec("issue_date", Kind.DATE, "IssueDate", "Date of the note"),
    spec("delivered_date", Kind.DATE, "ActualDeliveryDate", "Delivered on", required=True),
    spec("delivered_time", Kind.TEXT, "ActualDeliveryTime", "Delivered at"),
    spec("signature", Kind.IDENTIFIER, "Signature", "Signature"),
    spec("signer_name", Kind.TEXT, "SignatoryParty", "Signed by"),
    spec("stamp", Kind.IDENTIFIER, "Stamp", "Stamp"),
    spec("damage_note", Kind.TEXT, "Note", "Damage note"),
)
LINE_FIELDS = (
    spec("item", Kind.IDENTIFIER, "Item SellersItemIdentification", "Item"),
    spec("description", Kind.TEXT, "Item Description", "Description"),
    spec("unit", Kind.IDENTIFIER, "unitCode", "Unit"),
    spec("shipped_quantity", Kind.QUANTITY, "DeliveredQuantity", "Shipped"),
    spec("received_quantity", Kind.QUANTITY, "ReceivedQuantity", "Received"),
    spec("rejected_quantity", Kind.QUANTITY, "RejectedQuantity", "Rejected"),
    spec("reject_reason", Kind.TEXT, "RejectReason", "Reason"),
)
