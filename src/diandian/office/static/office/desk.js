// Names the parts of the desk's pages for screen readers; django-unfold leaves them nameless.
"use strict";

function nameParts() {
  const main = document.getElementById("main") || document.getElementById("page");
  if (main) main.setAttribute("role", "main");
  // Boxes that scroll all have the same name; two of them are then one too many.
  document.querySelectorAll(".simplebar-content-wrapper").forEach((box, number) => {
    box.setAttribute("aria-label", number ? `scrollable content ${number + 1}` : "scrollable content");
  });
}

window.addEventListener("load", nameParts);
