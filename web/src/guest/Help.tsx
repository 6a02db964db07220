/** How to get a recording out of the common recorders. */
export function Help() {
  return (
    <details className="g-help">
      <summary>How do I get the video out of my recorder?</summary>
      <ul>
        <li>Look for <em>Backup</em>, <em>Export</em> or <em>Playback</em> in its menu, or in the app on the phone.</li>
        <li>Choose the camera, then the minutes asked for. A little more before and after does no harm.</li>
        <li>Take the recorder’s own format if it offers one, or MP4. Do not film the screen.</li>
        <li>Save it to a USB stick or to this phone, then choose it here. Large files are fine: they go on after a lost signal.</li>
        <li>If the recorder overwrites itself soon, export now and send later; the link stays good.</li>
      </ul>
    </details>
  )
}
