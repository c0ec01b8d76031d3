// Keeps answers and diary of /life on this device; every page works without it.
"use strict";

(() => {
  const ANSWERS = "diandian-life", DIARY = "diandian-diary";
  const find = (name) => [...document.querySelectorAll(`[data-life="${name}"]`)];

  // Browsers may refuse to keep anything: then nothing is kept.
  function kept(key) {
    try { return JSON.parse(localStorage.getItem(key)) || null; } catch { return null; }
  }
  function keep(key, value) {
    try {
      if (value) localStorage.setItem(key, JSON.stringify(value));
      else localStorage.removeItem(key);
    } catch { /* see above */ }
  }

  for (const part of find("answers")) {
    const of = (name) => part.dataset[name] ?? part.querySelector(`[name="${name}"]`)?.value ?? "";
    const said = { a: of("a"), i: of("i") };
    // A region alone is a beginning, not worth what was kept before.
    if (said.a.includes("~") || said.i) keep(ANSWERS, said);
  }

  for (const part of find("resume")) {
    const said = kept(ANSWERS);
    if (!said || !said.a) continue;
    const link = part.querySelector("a");
    const address = new URL(link.href);
    address.searchParams.set("a", said.a);
    if (said.i) address.searchParams.set("i", said.i);
    link.href = address;
    part.hidden = false;
  }

  for (const button of find("erase")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      keep(ANSWERS, null);
      location.assign("/life");
    });
  }

  for (const form of find("diary")) {
    const region = form.elements.a, entries = form.elements.entries;
    if (form.dataset.carried) {
      keep(DIARY, entries.value ? { a: region.value, entries: entries.value } : null);
      continue;
    }
    const noted = kept(DIARY);
    if (noted && noted.entries) {
      [region.value, entries.value] = [noted.a, noted.entries];
      form.submit();
    }
  }

  for (const part of find("filter")) {
    const select = document.getElementById("activity"), input = part.querySelector("input");
    const groups = [...select.querySelectorAll("optgroup")].map((group) => [group, [...group.children]]);
    part.hidden = false;
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const [group, options] of groups) {
        const fitting = options.filter((each) => each.text.toLowerCase().includes(wanted));
        group.replaceChildren(...fitting);
        group.hidden = !fitting.length;
      }
      const left = [...select.querySelectorAll("optgroup option")];
      if (wanted && left.length) select.value = left[0].value;
    });
  }
})();
