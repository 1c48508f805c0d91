// The page follows the field: its box is lit and brought into view. Without script the "show" links do the same.
const hero = document.querySelector(".hero");

function light(box, on) {
  box.classList.toggle("lit", on);
  if (!on || !hero) return;
  const place = box.getBoundingClientRect();
  const frame = hero.getBoundingClientRect();
  if (place.top < frame.top + 24 || place.bottom > frame.bottom - 24) {
    hero.scrollTop += place.top - frame.top - frame.height / 3;
  }
}

for (const [event, on] of [["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, ({ target }) => {
    const box = target.dataset?.box && document.getElementById(target.dataset.box);
    if (box) light(box, on);
  });
}

// One click, one decision: the second of a double click is swallowed here, and refused by the server anyway.
document.querySelector("form.decision")?.addEventListener("submit", (event) => {
  const form = event.currentTarget;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => delete document.querySelector("form.decision")?.dataset.sent);
