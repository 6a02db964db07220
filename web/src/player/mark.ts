/** Where the name of whoever looks stands in a picture: over its lower middle, as clocks that recorders burn in stand at the edges. A long name is set smaller. */
export function viewerMark(name: string, width: number, height: number) {
  return { x: width / 2, y: height * 0.85, size: Math.min(Math.max(width, height) / 36, (width * 1.5) / Math.max(1, name.length)) }
}

/** How it looks on the screen and in a saved picture: light with a dark edge, to be read on any ground. */
export const MARK = { fill: '#fff', edge: '#000', opacity: 0.5, font: 'sans-serif', weight: 600 }

/** Draws it into a picture that is saved. */
export function drawViewer(canvas: CanvasRenderingContext2D, name: string) {
  const { x, y, size } = viewerMark(name, canvas.canvas.width, canvas.canvas.height)
  canvas.font = `${MARK.weight} ${size}px ${MARK.font}`
  canvas.textAlign = 'center'
  canvas.globalAlpha = MARK.opacity
  canvas.lineJoin = 'round'
  canvas.lineWidth = size / 8
  canvas.strokeStyle = MARK.edge
  canvas.strokeText(name, x, y)
  canvas.fillStyle = MARK.fill
  canvas.fillText(name, x, y)
}
