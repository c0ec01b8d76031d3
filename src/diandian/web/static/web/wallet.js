// Opens the wallet of the app that the page is shown in. What it answers is not believed: the order's
// page asks the bank itself.
"use strict";

(() => {
  const button = document.getElementById("wallet");
  if (!button) return;
  const WAIT_MS = 4000;
  let busy = false;

  function say(word) {
    busy = false;
    document.querySelectorAll("[data-say]").forEach((each) => {
      each.hidden = each.dataset.say !== word;
    });
  }

  function answered(answer) {
    const said = String((answer && answer.err_msg) || "");
    if (said.endsWith(":ok")) location.replace(location.pathname);
    else say(said.endsWith(":cancel") ? "cancelled" : "failed");
  }

  function open() {
    window.WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(button.dataset.wallet), answered);
  }

  function begin() {
    if (busy) return;
    busy = true;
    if (window.WeixinJSBridge) {
      open();
      return;
    }
    // The app puts its bridge into the page a little later.
    const timer = setTimeout(() => {
      document.removeEventListener("WeixinJSBridgeReady", ready);
      say("failed");
    }, WAIT_MS);
    function ready() {
      clearTimeout(timer);
      open();
    }
    document.addEventListener("WeixinJSBridgeReady", ready, { once: true });
  }

  button.addEventListener("click", begin);
  if ("opens" in button.dataset) {
    // Once: a page that is loaded again asks for a press.
    history.replaceState(null, "", location.pathname);
    begin();
  }
})();
