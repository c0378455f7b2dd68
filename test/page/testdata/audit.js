// What a person would stumble over on this page: an array of texts, empty when there is nothing. It checks what can be computed of
// WCAG 2.2 level AA, in the layout and with the colours that are in force now.
(() => {
  const wrong = [];
  // What the browser has not drawn yet, because it is far below, is looked at too: contentVisibilityAuto would leave it out.
  const visible = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !e.closest(".hidden, .skip");
  const name = (e) => `<${e.localName}${e.id ? "#" + e.id : ""}${e.className ? "." + e.className : ""}> ${(e.textContent || "").trim().slice(0, 40)}`;

  // 1.4.10: nothing is cut off, or scrolls sideways.
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) wrong.push(`the page is ${wide} px too wide`);
  for (const e of document.querySelectorAll("body *")) {
    const box = e.getBoundingClientRect();
    if (visible(e) && box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)) wrong.push(`beyond the edge, from ${Math.round(box.left)} to ${Math.round(box.right)}: ${name(e)}`);
  }

  // 1.4.3 and 1.4.11: contrast of texts with what is behind them, and of the marks' shapes.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).backgroundColor);
  };
  const luminance = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
  let texts = 0;
  const rows = new Set();
  const seen = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (!visible(e) || ![...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim())) continue;
    texts++;
    rows.add(e.closest("tbody tr"));
    const style = getComputedStyle(e);
    const ratio = contrast(rgba(style.color), behind(e));
    const key = style.color + ratio.toFixed(2);
    if (ratio < 4.5 && !seen.has(key)) wrong.push(`contrast ${ratio.toFixed(2)}: ${name(e)}`);
    seen.add(key);
    if (parseFloat(style.fontSize) < 12.5) wrong.push(`text of ${style.fontSize}: ${name(e)}`);
  }
  rows.delete(null);
  const all = document.querySelectorAll("tbody tr").length;
  if (rows.size < all) wrong.push(`of ${all} rows only ${rows.size} were looked at`);
  if (texts < 10) wrong.push(`only ${texts} texts were looked at`);
  for (const e of document.querySelectorAll("input, select, button")) {
    const ratio = contrast(rgba(getComputedStyle(e).borderTopColor), behind(e.parentElement));
    if (visible(e) && e.type !== "checkbox" && ratio < 3) wrong.push(`contrast of the border ${ratio.toFixed(2)}: ${name(e)}`);
  }

  // 1.4.1: no mark is a colour alone.
  for (const e of document.querySelectorAll(".mark")) {
    if (!e.textContent.trim()) wrong.push(`a mark without a word: ${name(e)}`);
    if (visible(e) && parseFloat(getComputedStyle(e, "::before").width) < 8) wrong.push(`a mark without a shape: ${name(e)}`);
  }

  // 1.3.1 and 2.4.6: headings come in order, and there is one of the first level.
  let level = 0;
  for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const now = Number(h.localName[1]);
    if (now > level + 1) wrong.push(`a heading of level ${now} after ${level}: ${name(h)}`);
    if (!h.textContent.trim()) wrong.push(`an empty heading: ${name(h)}`);
    level = now;
  }
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");

  // 4.1.2 and 3.3.2: what can be used has a name.
  for (const e of document.querySelectorAll("input, select, textarea")) if (!e.labels.length || !e.labels[0].textContent.trim()) wrong.push(`without a label: ${name(e)}`);
  for (const e of document.querySelectorAll("a, button")) if (!e.textContent.trim() && !e.getAttribute("aria-label")) wrong.push(`without a name: ${name(e)}`);
  for (const e of document.querySelectorAll("[aria-labelledby]")) if (!document.getElementById(e.getAttribute("aria-labelledby"))) wrong.push(`named by what is not there: ${name(e)}`);

  // 1.3.1: landmarks, tables that say what their columns are, ids that are one thing's.
  for (const what of ["header", "nav", "main", "footer"]) if (document.querySelectorAll(what).length !== 1) wrong.push(`not one ${what}`);
  for (const e of document.querySelectorAll("table")) {
    const columns = e.querySelectorAll("thead th[scope=col]").length;
    for (const row of e.querySelectorAll("tbody tr")) if (row.children.length !== columns) wrong.push(`a row of ${row.children.length} cells under ${columns} headings`);
  }
  const ids = new Set();
  for (const e of document.querySelectorAll("[id]")) {
    if (ids.has(e.id)) wrong.push(`two things with the id ${e.id}`);
    ids.add(e.id);
  }
  // 2.4.2, 3.1.1, 2.4.1
  if (!document.title.trim()) wrong.push("no title");
  if (document.documentElement.lang !== "en") wrong.push("no language");
  if (document.querySelector("a").getAttribute("href") !== "#main") wrong.push("the first link does not lead to the content");
  // 2.5.8: what can be clicked has 24 px, or is within a line of text.
  for (const e of document.querySelectorAll("button, select, input, nav a, .tallies a")) {
    const box = e.getBoundingClientRect();
    if (visible(e) && e.type !== "checkbox" && (box.height < 24 || box.width < 24)) wrong.push(`${Math.round(box.width)} by ${Math.round(box.height)} px are few to click on: ${name(e)}`);
  }
  return [...new Set(wrong)].slice(0, 20);
})()
