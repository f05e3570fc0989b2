// A telephone lays a page out wider than its screen rather than cutting it off: innerWidth grows, the screen does not.
const most = screen.width + 0.5;
const has_scroller = (element) => {
  for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
    if (getComputedStyle(box).overflowX !== "visible" && box.getBoundingClientRect().right <= most) return true;
  }
  return false;
};
const wide = [...document.body.querySelectorAll("*")]
  .filter((element) => element.getBoundingClientRect().right > most && element.getBoundingClientRect().width > 0)
  .filter((element) => !has_scroller(element))
  .map((element) => `${element.tagName} ${element.id} ${element.getBoundingClientRect().right}: ${element.textContent.slice(0, 40)}`);
if (Math.max(document.scrollingElement.scrollWidth, innerWidth) > most) {
  wide.push(`the page: ${document.scrollingElement.scrollWidth}`);
}
return wide;
