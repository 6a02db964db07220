// Sets the colour scheme before the first paint; the office can override the system's choice.
;(function () {
  var kept = null
  try { kept = localStorage.getItem('sightline-scheme') } catch (e) {}
  var dark = kept === 'dark' || (kept !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
