// The page's only script: takes in the parts that changed, and sends buttons without leaving the page.
const byId = (id) => document.getElementById(id);
const lost = byId("lost"), answer = byId("answer"), pause = byId("pause");
let isPaused = false;

const localTimes = (within) => {
  for (const time of within.querySelectorAll("time[datetime]")) {
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour12: false });
  }
};

// Whoever has the focus inside the part keeps it, if what has it is still there; what was opened stays open.
const replace = ({ id, html }) => {
  const part = byId(id);
  if (!part) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const unfolded = new Map([...part.querySelectorAll("details")].map((it) => [it.id, it.open]));
  part.innerHTML = html;
  for (const it of part.querySelectorAll("details")) it.open = unfolded.get(it.id) ?? it.open;
  localTimes(part);
  if (focused) byId(focused)?.focus({ preventScroll: true });
};

const show = (banner, text) => {
  banner.hidden = !text;
  banner.textContent = text;
};

let source, retry;
const disconnect = () => {
  clearTimeout(retry);
  source?.close();
};
const connect = () => {
  disconnect();
  const tour = byId("tour").dataset.tour;
  source = new EventSource("/live" + (tour ? "?tour=" + encodeURIComponent(tour) : ""));
  source.addEventListener("open", () => show(lost, ""));
  source.addEventListener("part", (event) => replace(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    show(lost, "The connection to the console is lost: what you see is a picture of that moment. Trying again…");
    // A refused connection is not tried again by the browser.
    if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, 3000);
  });
};

pause.hidden = false;
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", isPaused);
  pause.textContent = isPaused ? "Go on" : "Pause";
  if (isPaused) disconnect();
  else connect();
});

// A page that is left stays in the browser's memory for a while; with its stream it would hold one of the few connections
// that a browser has to a server, and after some steps of a tour the next page would wait for one.
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (event.persisted && !isPaused) connect();
});

let clearing;
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!("quiet" in form.dataset)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  let said = "The console does not answer.";
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
    said = (await response.json()).said;
  } catch { /* said above */ }
  show(answer, said);
  clearTimeout(clearing);
  clearing = setTimeout(() => show(answer, ""), 6000);
});

localTimes(document);
connect();
