// What a report says of itself in a browser. It is evaluated in the page by
// browser_test.go and gives an object of the Go type findings.
(() => {
  const problems = [];
  const all = (selector, from) => [...(from || document).querySelectorAll(selector)];
  const about = (e) => e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? "." + e.className : "") + " " + JSON.stringify((e.textContent || "").trim().slice(0, 40));

  // The page is not wider than the window.
  if (document.documentElement.scrollWidth > window.innerWidth) {
    problems.push(`the page is ${document.documentElement.scrollWidth} pixels wide in a window of ${window.innerWidth}`);
  }

  // Text of charts is inside of them and not on top of other text.
  for (const svg of all("figure svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = all("text", svg).filter((t) => t.textContent.trim()).map((t) => ({ text: t.textContent, box: t.getBoundingClientRect() }));
    const name = svg.getAttribute("aria-label");
    for (const { text, box } of texts) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) problems.push(`${name}: "${text}" is cut off`);
    }
    texts.forEach((a, i) => texts.slice(i + 1).forEach((b) => {
      const width = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const height = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (width > 1 && height > 3) problems.push(`${name}: "${a.text}" and "${b.text}" overlap`);
    }));
    if (!all("path", svg).length) problems.push(`${name}: nothing is drawn`);
    if (/NaN|Inf/.test(svg.outerHTML)) problems.push(`${name}: a number that is none`);
  }

  // Everything drawn has a name for those who do not see it.
  for (const svg of all("svg")) {
    if (svg.getAttribute("aria-hidden") !== "true" && !(svg.getAttribute("role") === "img" && svg.getAttribute("aria-label"))) problems.push("a drawing without a name");
  }
  for (const th of all("th")) if (!th.getAttribute("scope")) problems.push("a header without a scope: " + about(th));
  for (const box of all(".scroll")) if (box.tabIndex !== 0 || !box.getAttribute("aria-label")) problems.push("a scrolling region that the keyboard cannot reach: " + about(box));

  // Links within the page lead somewhere, and every name is there once.
  const ids = all("[id]").map((e) => e.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) problems.push(`two elements are called ${id}`);
  for (const a of all("a[href], use[href]")) {
    const to = a.getAttribute("href");
    if (!to.startsWith("#") || !document.getElementById(to.slice(1))) problems.push(`a link to ${to}, which is not there`);
  }

  // Contrast of text, by WCAG 2: 4.5 to 1.
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const numbers = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = numbers(getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const told = new Set();
  for (const details of all("details")) details.open = true;
  for (const e of all("main *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const svg = e.closest("svg");
    const color = numbers(svg ? getComputedStyle(e).fill : getComputedStyle(e).color);
    const ratio = contrast(color, behind(svg || e));
    const key = color + "/" + e.tagName;
    if (ratio < 4.5 && !told.has(key)) { told.add(key); problems.push(`contrast ${ratio.toFixed(2)} of ${about(e)}`); }
  }
  // Still not wider with everything open.
  if (document.documentElement.scrollWidth > window.innerWidth) problems.push(`with all details open the page is ${document.documentElement.scrollWidth} pixels wide`);

  const forests = all("#pairs figure");
  return {
    Problems: problems,
    Headings: all("h1").length,
    Forests: forests.length,
    PairMarks: forests.reduce((n, f) => n + all('path[style*="--pair"]', f).length, 0),
    Lines: all("#distributions figure").slice(0, 1).reduce((n, f) => n + all('path[style*="stroke:var(--c"]', f).length, 0),
    MetricRows: all("#metrics tbody tr").length,
    GateRows: all("#gates tbody tr").length,
    RequestRows: all("#requests tbody tr").length,
    Figures: all("figure").length,
    Tables: all("table").length,
    Dark: luminance(numbers(getComputedStyle(document.body).backgroundColor)) < 0.2,
    Milliseconds: performance.getEntriesByType("paint").reduce((last, p) => Math.max(last, p.startTime), 0),
  };
})()
