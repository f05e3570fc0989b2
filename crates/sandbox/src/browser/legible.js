const LEAST_PX = 11;
const faults = [];
for (const chart of document.querySelectorAll("svg.chart")) {
  const box = chart.getBoundingClientRect();
  const texts = [...chart.querySelectorAll("text")]
    .map((element) => ({ says: element.textContent, element, at: element.getBoundingClientRect() }))
    .filter((text) => text.at.width > 0);
  if (texts.length === 0) faults.push(`${chart.id}: no text at all`);
  for (const [n, { says, element, at }] of texts.entries()) {
    // What is scaled has another size than its style says.
    const scale = element.getScreenCTM().a;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < LEAST_PX) faults.push(`${chart.id}: ${says} is ${size} px high`);
    if (at.left < box.left - 1 || at.right > box.right + 1) faults.push(`${chart.id}: ${says} is cut off`);
    for (const other of texts.slice(n + 1)) {
      const across = Math.min(at.right, other.at.right) - Math.max(at.left, other.at.left);
      const down = Math.min(at.bottom, other.at.bottom) - Math.max(at.top, other.at.top);
      // The boxes of letters have some air above and below.
      if (across > 1 && down > 4) faults.push(`${chart.id}: ${says} covers ${other.says}`);
    }
  }
}
return faults;
