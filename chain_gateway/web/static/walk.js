// Sends the hop's form by itself, once this browser was able to reach the app. It only ever saves a click:
// the form, its button and the links on the page work without it, and whatever fails here leaves them working.
(() => {
"use strict";
const part = (id) => document.getElementById(id);
const form = part("hop");
const { ping, lost } = form.dataset;
let sent, countdown;

// A page that comes back from the browser's memory shows a hop that is over: ask where the walk stands now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

// A second click within three seconds is the same click; after that the person means it.
form.addEventListener("submit", (event) => {
  if (sent) return event.preventDefault();
  sent = true;
  stay();
  setTimeout(() => { sent = false; }, 3000);
  setTimeout(() => { part("slow").hidden = false; }, 6000);
});
const send = () => form.requestSubmit ? form.requestSubmit() : form.submit();

// An opaque answer of any status will do; only "no answer" counts, and two seconds are the limit.
const ask = () => {
  const limit = new AbortController();
  setTimeout(() => limit.abort(), 2000);
  return fetch(ping, { mode: "no-cors", credentials: "omit", cache: "no-store", signal: limit.signal });
};

// Whoever touches anything is there and decides alone: the countdown ends and does not come back.
const stay = () => {
  clearInterval(countdown);
  if (part("count").contains(document.activeElement)) part("again").focus();
  part("count").hidden = true;
};
const unreachable = () => {
  if (sent) return;
  const focused = part("acts").contains(document.activeElement);
  part("going").hidden = part("acts").hidden = true;
  part("lost").hidden = false;
  if (focused) part("again").focus();
  let left = 10;
  countdown = setInterval(() => {
    part("left").textContent = --left;
    if (left > 0) return;
    stay();
    location.replace(lost);
  }, 1000);
  for (const touch of ["keydown", "pointerdown", "click"]) addEventListener(touch, stay);
};
// Whoever was held up at the app is not sent back there at once, as they may want to leave it out.
if (form.dataset.wait) part("going").hidden = true;
else if (ping && self.AbortController) ask().then(send, unreachable);
else send();
})();
