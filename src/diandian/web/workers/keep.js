// Keeps a scene's page and its questions for when there is no network. It lives below /s/ and never
// sees orders, certificates, desks or a person's own pages; of the pages there it keeps those without
// a secret in their address and nothing else. Writes pass it by. What it keeps stands in KEPT, which
// the server puts before this text.
"use strict";

const PREFIX = "diandian-";
const CACHE = PREFIX + KEPT.version;
const SCENE = /^\/s\/[-\w]+$/;
const QUESTIONS = /^\/s\/[-\w]+\/go$/;
const PAYMENT = /^\/s\/[-\w]+\/go\/[-\w]+\/pay$/;
const MOST_PAGES = 20;
const FRESH_MS = 3600000;
// Language and cookie are looked at when a page is kept, not when it is asked for.
const ANY = { ignoreVary: true };

const isPage = (path) => SCENE.test(path) || QUESTIONS.test(path);

function isFresh(answer, lang) {
  const age = Date.now() - Date.parse(answer.headers.get("Date") || "");
  return answer.headers.get("Content-Language") === lang && age < FRESH_MS;
}

async function keep(cache, path, lang) {
  const before = await cache.match(path, ANY);
  if (before && isFresh(before, lang)) return;
  const answer = await fetch(path, { cache: "no-cache", redirect: "error" });
  const secret = /no-store/.test(answer.headers.get("Cache-Control") || "");
  if (answer.status === 200 && !secret) await cache.put(path, answer);
}

async function keepScene(path, lang) {
  const cache = await caches.open(CACHE);
  const wanted = [path, path + "/go", KEPT.offline, KEPT.payment];
  await Promise.all(wanted.map((each) => keep(cache, each, lang).catch(() => null)));
  const pages = (await cache.keys()).filter((each) => isPage(new URL(each.url).pathname));
  const old = pages.slice(0, Math.max(0, pages.length - MOST_PAGES));
  await Promise.all(old.map((each) => cache.delete(each)));
}

// The page is told that it comes from here: its script then keeps answers on the phone.
async function marked(answer) {
  const headers = new Headers(answer.headers);
  headers.delete("Content-Encoding");
  headers.delete("Content-Length");
  const text = (await answer.text()).replace("<html ", "<html data-offline ");
  return new Response(text, { headers });
}

async function page(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(CACHE);
    const instead = PAYMENT.test(path) ? KEPT.payment : KEPT.offline;
    const found = (isPage(path) && (await cache.match(path, ANY))) || (await cache.match(instead, ANY));
    return found ? marked(found) : Response.error();
  }
}

async function part(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(CACHE);
    return (await cache.match(path, ANY)) || Response.error();
  }
}

async function begin() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...KEPT.parts, KEPT.offline, KEPT.payment]);
  await self.skipWaiting();
}

async function takeOver() {
  const old = (await caches.keys()).filter((each) => each.startsWith(PREFIX) && each !== CACHE);
  await Promise.all(old.map((each) => caches.delete(each)));
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(begin()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", (event) => {
  const { scene, lang } = event.data || {};
  if (typeof scene === "string" && SCENE.test(scene)) event.waitUntil(keepScene(scene, lang));
});
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(page(event.request, pathname));
  else if (KEPT.parts.includes(pathname)) event.respondWith(part(event.request, pathname));
});
