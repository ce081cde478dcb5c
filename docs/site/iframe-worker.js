// Search without a server: pages that are opened as files may start no worker, so that a hidden frame takes its place.
if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const base = new URL(url, location.href);
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.appendChild(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => {
        const event = new MessageEvent("message", { data: structuredClone(data) });
        this.dispatchEvent(event);
        if (this.onmessage) this.onmessage(event);
      };
      const load = (source) =>
        new Promise((done, failed) => {
          const script = frame.contentDocument.createElement("script");
          Object.assign(script, { src: new URL(source, base), onload: done, onerror: failed });
          frame.contentDocument.body.appendChild(script);
        });
      inside.importScripts = (...sources) => sources.reduce((before, next) => before.then(() => load(next)), Promise.resolve());
      this.loaded = load(base);
      this.send = (data) => inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }));
    }
    postMessage(data) {
      this.loaded.then(() => this.send(data));
    }
  };
}
