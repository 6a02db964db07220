import { MARK, viewerMark } from './mark.ts'

/** The name of whoever looks, over the picture, wherever the browser fits that into its frame. */
export function Viewer({ name, width, height }: { name: string; width: number; height: number }) {
  const { x, y, size } = viewerMark(name, width, height)
  return (
    <svg className="player-viewer" viewBox={`0 0 ${width} ${height}`} aria-hidden>
      <text x={x} y={y} fontSize={size} fontFamily={MARK.font} fontWeight={MARK.weight} textAnchor="middle" fill={MARK.fill} stroke={MARK.edge} strokeWidth={size / 8} paintOrder="stroke" strokeLinejoin="round" opacity={MARK.opacity}>{name}</text>
    </svg>
  )
}
