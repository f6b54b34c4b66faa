// Sends files in parts, after tus 1.0.0: what a lost connection, a sleeping phone or a closed page interrupted goes on
// from where it was. One file after another: over a weak connection two would only both be late.
{
  const form = document.querySelector("form[data-upload]");
  const uploads = "/api/v1/uploads";
  const stall = 20000;
  const sleep = (ms) => new Promise((wake) => {
    const timer = setTimeout(wake, ms);
    addEventListener("online", () => { clearTimeout(timer); wake(); }, { once: true });
  });
  const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  // The same file after a reload, as far as a browser lets a page know.
  const mark = (file) => "upload:" + [file.name, file.size, file.lastModified].join(":");

  class SignedOut extends Error {}
  class Refused extends Error {}

  // What the station answered, where it is no use to try again; else the connection is to blame, and it is.
  async function said(answer) {
    if (answer.status === 401 || answer.status === 403) throw new SignedOut();
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({}));
    if ([408, 409, 429, 503].includes(answer.status) || answer.status >= 500 && answer.status !== 507) throw new Error(problem.detail);
    throw new Refused(problem.detail || String(answer.status));
  }

  const headers = (more) => ({ "tus-resumable": "1.0.0", "x-loa-key": form.elements.key.value, ...more });
  // A folder cannot be read, nor can a file that was changed or taken away since it was chosen: no connection mends that.
  // One that was taken away has no length any more, and reads as an empty one.
  const chosen = new WeakMap();
  async function readable(file) {
    const bytes = await file.slice(0, 1).arrayBuffer().catch(() => null);
    if (!bytes || (chosen.get(file) ?? file.size) !== file.size) throw new Refused(form.dataset.unreadable);
  }
  const ask = (method, address, more) =>
    fetch(address, { method, headers: headers(more), signal: AbortSignal.timeout(stall) });

  // How many files came to what: who sends sixty from a phone reads no sixty lines.
  const rows = [];
  function sum() {
    const count = (became) => rows.filter((row) => row.became === became).length;
    const said = ["new", "known", "refused", "stopped", "putOff"].filter(count).map((became) => `${count(became)} ${form.dataset[became + "Count"] ?? form.dataset[became]}`);
    if (count(null)) said.push(form.dataset.left.replace("{}", count(null)));
    const all = said.join(", ");
    document.getElementById("sum").textContent = all.slice(0, 1).toUpperCase() + all.slice(1);
  }

  // One file on the page.
  class Row {
    constructor(file) {
      this.file = file;
      this.became = null;
      rows.push(this);
      // What has no weeks hides the field, and what was chosen there before is not meant.
      const { programme, week } = form.elements, hidden = programme.selectedOptions[0]?.matches(".any-week");
      const words = { filename: file.name, programme: programme.value, week: hidden ? "" : week.value };
      this.words = Object.entries(words).filter(([, value]) => value).map(([key, value]) => key + " " + base64(value)).join(",");
      this.item = document.createElement("li");
      this.item.className = "card";
      const name = document.createElement("p");
      name.className = "name";
      name.textContent = file.name;
      this.bar = document.createElement("progress");
      this.bar.max = Math.max(1, file.size);
      this.bar.value = 0;
      this.bar.setAttribute("aria-label", file.name);
      this.text = document.createElement("p");
      this.stop = document.createElement("button");
      this.stop.type = "button";
      this.stop.textContent = form.dataset.stop;
      this.stop.setAttribute("aria-label", form.dataset.stop + ": " + file.name);
      this.stop.addEventListener("click", () => this.end());
      this.item.append(name, this.bar, this.text, this.stop);
      document.getElementById("files").append(this.item);
      this.tell(form.dataset.waiting);
    }

    tell(text, warn = false) {
      if (this.text.textContent !== text) this.text.textContent = text;
      this.text.className = warn ? "warn" : "";
    }

    shown(bytes) {
      this.bar.value = bytes;
      this.tell(`${form.dataset.sending}: ${Math.floor((100 * bytes) / this.bar.max)} %`);
    }

    comesTo(became) {
      this.became = became;
      sum();
    }

    async end() {
      this.stopped = true;
      this.comesTo("stopped");
      this.request?.abort();
      this.stop.remove();
      this.bar.remove();
      this.tell(form.dataset.stopped);
      if (this.address) ask("DELETE", this.address).catch(() => {});
      localStorage.removeItem(mark(this.file));
    }

    putOff(text) {
      this.comesTo("putOff");
      this.bar.remove();
      // It may be taken in at any time from now on: to end it would promise too much.
      this.stop.remove();
      this.tell(text, true);
    }

    verdict(state, text, segment) {
      this.comesTo(state);
      this.bar.remove();
      this.stop.remove();
      const word = document.createElement("span");
      word.className = "verdict " + state;
      word.textContent = form.dataset[state];
      this.text.className = "";
      this.text.replaceChildren(word, ": " + text);
      if (segment) {
        const link = document.createElement("a");
        link.href = "/ban-ghi/" + segment;
        link.textContent = state === "new" ? form.dataset.describe : form.dataset.see;
        const line = document.createElement("p");
        line.append(link);
        this.item.append(line);
      }
    }

    // Where the file is sent to, and from which byte on.
    async begin() {
      this.address ??= localStorage.getItem(mark(this.file));
      if (this.address) {
        const there = await ask("HEAD", this.address);
        if (there.ok) {
          // The line that the page had for it says no more than this one.
          document.querySelector(`[data-address="${this.address}"]`)?.remove();
          return Number(there.headers.get("upload-offset"));
        }
        if (there.status !== 404 && there.status !== 410) await said(there);
        this.address = null;
        localStorage.removeItem(mark(this.file));
      }
      const made = await said(await ask("POST", uploads, { "upload-length": this.file.size, "upload-metadata": this.words }));
      this.address = made.headers.get("location");
      localStorage.setItem(mark(this.file), this.address);
      return 0;
    }

    // Sends everything from there on; ends early where the connection does.
    patch(offset) {
      return new Promise((done, failed) => {
        const request = (this.request = new XMLHttpRequest());
        let timer;
        const alive = () => {
          clearTimeout(timer);
          timer = setTimeout(() => request.abort(), stall);
        };
        request.open("PATCH", this.address);
        // What the form says now, which may be something else than when the file was announced.
        const more = { "upload-offset": offset, "upload-metadata": this.words, "content-type": "application/offset+octet-stream" };
        for (const [name, value] of Object.entries(headers(more))) {
          request.setRequestHeader(name, value);
        }
        request.upload.onprogress = (event) => { alive(); this.moved = true; this.shown(offset + event.loaded); };
        request.onloadend = () => {
          clearTimeout(timer);
          if (request.status === 204) return done(Number(request.getResponseHeader("upload-offset")));
          if (!request.status) return failed(new Error());
          said(new Response(request.responseText || null, { status: request.status })).then(() => failed(new Error()), failed);
        };
        alive();
        request.send(this.file.slice(offset));
      });
    }

    async send() {
      for (let pause = 500; !this.stopped; pause = Math.min(2 * pause, 30000)) {
        try {
          await readable(this.file);
          let offset = await this.begin();
          while (offset < this.file.size && !this.stopped) {
            this.shown(offset);
            offset = await this.patch(offset);
          }
          if (this.stopped) return;
          this.bar.value = this.bar.max;
          this.tell(form.dataset.examining);
          for (;;) {
            const became = await (await said(await ask("GET", this.address))).json();
            // The station will go on by itself; what was sent needs nobody to wait for it.
            if (became.state === "put-off") return this.putOff(became.said);
            if (became.said) {
              localStorage.removeItem(mark(this.file));
              return this.verdict(became.state, became.said, became.segment);
            }
            await sleep(700);
          }
        } catch (failure) {
          if (this.stopped) return;
          if (failure instanceof SignedOut) return this.tell(form.dataset.signedOut, true);
          if (failure instanceof Refused) return this.verdict("refused", failure.message);
          if (this.moved) pause = 500;
          this.moved = false;
          this.tell(failure.message && !(failure instanceof TypeError) && !(failure instanceof DOMException) ? failure.message : form.dataset.lost, true);
          await sleep(pause);
        }
      }
    }
  }

  if (form) {
    const waiting = [];
    let busy = false;
    async function work() {
      if (busy) return;
      busy = true;
      while (waiting.length) await waiting.shift().send();
      busy = false;
    }
    const take = (files) => {
      const [first, ...others] = [...files].map((file) => new Row(file));
      if (!first) return;
      waiting.push(first, ...others);
      sum();
      // On a phone they stand below what was pressed.
      first.item.scrollIntoView({ block: "center" });
      work();
    };
    const chooser = form.elements.file;
    chooser.addEventListener("change", () => { for (const file of chooser.files) chosen.set(file, file.size); });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      take(chooser.files);
      chooser.value = "";
    });
    const place = form.querySelector(".drop");
    // Also beside its place: a browser would leave the page for the file, and lose what is being sent.
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      addEventListener(kind, (event) => {
        event.preventDefault();
        const gone = kind === "drop" || (kind === "dragleave" && !event.relatedTarget);
        place.classList.toggle("over", !gone && event.dataTransfer.types.includes("Files"));
        if (kind === "drop") take(event.dataTransfer.files);
      });
    }
    addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });
  }
}
