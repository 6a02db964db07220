// Sets the colour scheme before the first paint; the office can override the system's choice.
;(function () {
  var kept = null
  try { kept = localStorage.getItem('sightline-scheme') } catch (e) {}
  var system = matchMedia('(prefers-color-scheme: dark)')
  function paint() {
    var dark = kept === 'dark' || (kept !== 'light' && system.matches)
    document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
  }
  paint()
  // The office follows the system by itself afterwards; the guest page has only this.
  if (location.pathname.indexOf('/f/') === 0) system.addEventListener('change', paint)
})()
