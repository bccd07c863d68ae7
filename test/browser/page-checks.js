// Runs inside the page. Own checks beside the roles Playwright finds by: contrast of every visible text, names and sizes of what can be pressed, one
// title, no text cut without its full form. Returns what is wrong, one line each.
;(() => {
  const wrong = []
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
  const label = (element) =>
    `${element.tagName.toLowerCase()}.${String(element.className).slice(0, 40)} "${(element.textContent ?? '').trim().slice(0, 40)}"`
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number)
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor)
      if (color.length === 3 || color[3] === 1) return color
    }
    return [255, 255, 255]
  }
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
    return (light + 0.05) / (dark + 0.05)
  }

  let texts = 0
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    if (!own || !seen(element) || element.closest('noscript, .sr-only, svg, [aria-hidden="true"] > title')) continue
    texts++
    const ratio = contrast(channels(getComputedStyle(element).color), background(element))
    if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)} ${label(element)}`)
  }
  if (texts < 5) wrong.push(`only ${texts} texts on the page`)

  const name = (element) =>
    (
      element.getAttribute('aria-label') ||
      (element.getAttribute('aria-labelledby') ?? '')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join(' ') ||
      [...(element.labels ?? [])].map((one) => one.textContent).join(' ') ||
      element.textContent ||
      ''
    ).trim()
  for (const element of document.querySelectorAll('a, button, input, select, textarea, summary')) {
    if (!seen(element)) continue
    if (!name(element)) wrong.push(`no name: ${element.outerHTML.slice(0, 120)}`)
    const inText = getComputedStyle(element).display.startsWith('inline') || element.type === 'radio' || element.tabIndex < 0
    const { width, height } = element.getBoundingClientRect()
    if (!inText && width && (width < 24 || height < 22))
      wrong.push(`target ${Math.round(width)}×${Math.round(height)} ${label(element)}`)
  }

  for (const [what, count] of [
    ['h1', 1],
    ['main', 1],
  ]) {
    const found = document.querySelectorAll(what).length
    if (found !== count) wrong.push(`${found} ${what}`)
  }
  for (const element of document.querySelectorAll('[id]')) {
    if (document.querySelectorAll(`[id="${CSS.escape(element.id)}"]`).length > 1) wrong.push(`id twice: ${element.id}`)
  }
  for (const table of document.querySelectorAll('table')) if (!table.querySelector('th')) wrong.push('table without heads')
  for (const svg of document.querySelectorAll('svg'))
    if (svg.getAttribute('aria-hidden') !== 'true' && !svg.querySelector('title, [role="img"][aria-label]'))
      wrong.push('svg without title')
  if (document.querySelectorAll('[data-variant="filled"]').length > 1) wrong.push('more than one filled button')
  if (document.documentElement.scrollWidth > innerWidth)
    wrong.push(`wider than the window by ${document.documentElement.scrollWidth - innerWidth}`)
  return wrong
})()
