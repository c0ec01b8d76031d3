// Takes the place of the worker that kept pages, deletes what it kept, and goes.
"use strict";

async function leave() {
  const kept = (await caches.keys()).filter((each) => each.startsWith("diandian-"));
  await Promise.all(kept.map((each) => caches.delete(each)));
  await self.registration.unregister();
}

self.addEventListener("install", (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener("activate", (event) => event.waitUntil(leave()));
