/** Where the records come from: a running lambdaflex, or the page itself. */

/** Follows a running lambdaflex; the browser connects anew by itself when it was lost. */
export const follow = (onRecords, onLink) => {
  const source = new EventSource("events");
  source.onopen = () => onLink("live");
  source.onmessage = ({ data }) => onRecords(JSON.parse(data));
  let ended = false;
  source.addEventListener("end", () => {
    ended = true;
    onLink("ended");
  });
  source.onerror = () => {
    if (ended) source.close();
    // A browser that was refused, as by a run that has begun anew, does not try again.
    else onLink(source.readyState === EventSource.CLOSED ? "refused" : "lost");
  };
};

/** Unpacks what a report carries in it. */
export const unpack = async (packed) => {
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};
