import { ActionIcon, Checkbox, NativeSelect, Tooltip } from '@mantine/core'
import { IconCamera, IconMaximize, IconPlayerPauseFilled, IconPlayerPlayFilled, IconPlayerSkipBack, IconPlayerSkipForward } from '@tabler/icons-react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { ClockPoint, Gap } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { blanks, day, exactClock, recordedAt, zonedClock, zoneName } from '~/lib/time.ts'
import { drawViewer } from './mark.ts'
import { Viewer } from './Viewer.tsx'
import './player.css'

const SPEEDS = ['0.25', '0.5', '1', '2', '4', '8']

/** A video with its own time: frame by frame, at any pace, with what the wall clock showed. `viewer`: who looks, where that stands over the picture. */
export function Player({ src, name, recorded, gaps, offsetMs, frameRate, viewer }: { src: string; name: string; recorded: ClockPoint[]; gaps: Gap[]; offsetMs: number | null; frameRate: number | null; viewer?: string }) {
  const zone = useZone()
  const video = useRef<HTMLVideoElement>(null)
  const frame = useRef<HTMLDivElement>(null)
  const [at, setAt] = useState(0)
  const [length, setLength] = useState(0)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [playing, setPlaying] = useState(false)
  const [speed, setSpeed] = useState('1')
  const [corrected, setCorrected] = useState(true)
  const [broken, setBroken] = useState(false)
  const step = 1 / (frameRate && frameRate > 1 ? frameRate : 25)
  const skew = offsetMs && Math.abs(offsetMs) >= 50 ? offsetMs : 0

  const measure = (v: HTMLVideoElement) => setSize({ width: v.videoWidth, height: v.videoHeight })
  const seek = (to: number) => { if (video.current) video.current.currentTime = Math.max(0, Math.min(length || to, to)) }
  const without = blanks(recorded, gaps, length)
  const blank = without.find((b) => at >= b.from && at < b.to)
  // When the picture that is seen began, where the browser tells it.
  const shown = useRef<number | null>(null)
  useEffect(() => {
    const v = video.current
    if (!v || !('requestVideoFrameCallback' in v)) return
    let handle = 0
    const see = (_: number, picture: { mediaTime: number }) => { shown.current = picture.mediaTime; handle = v.requestVideoFrameCallback(see) }
    handle = v.requestVideoFrameCallback(see)
    return () => v.cancelVideoFrameCallback(handle)
  }, [])
  // Into the middle of the picture beside the one that is seen; what has no pictures is passed over.
  function nudge(frames: 1 | -1) {
    const v = video.current
    if (!v) return
    v.pause()
    const here = shown.current !== null && v.currentTime >= shown.current && v.currentTime < shown.current + step ? shown.current + step / 2 : v.currentTime
    const to = here + frames * step
    const over = without.find((b) => to >= b.from && to < b.to)
    seek(over ? (frames > 0 ? over.to + step / 2 : over.from - step / 2) : to)
  }
  const toggle = () => { const v = video.current; if (v) void (v.paused ? v.play().catch(() => setBroken(true)) : v.pause()) }
  function pace(value: string) {
    setSpeed(value)
    if (video.current) video.current.playbackRate = Number(value)
  }
  function snapshot() {
    const v = video.current
    if (!v?.videoWidth) return
    const canvas = document.createElement('canvas')
    canvas.width = v.videoWidth
    canvas.height = v.videoHeight
    const pen = canvas.getContext('2d')
    pen?.drawImage(v, 0, 0)
    if (pen && viewer) drawViewer(pen, viewer)
    canvas.toBlob((blob) => {
      if (!blob) return
      const link = document.createElement('a')
      link.href = URL.createObjectURL(blob)
      link.download = `${name.replaceAll(/[^\w-]+/g, '_')}_${v.currentTime.toFixed(3)}s.png`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 5000)
    })
  }
  function keys(event: KeyboardEvent) {
    if ((event.target as HTMLElement).closest('select, input')) return
    const act: Record<string, () => void> = { ' ': toggle, k: toggle, ',': () => nudge(-1), '.': () => nudge(1), ArrowLeft: () => seek(at - 5), ArrowRight: () => seek(at + 5) }
    const found = act[event.key]
    if (!found || (event.key === ' ' && (event.target as HTMLElement).closest('button'))) return
    event.preventDefault()
    found()
  }
  // What the recorder's clock showed is the true time plus the offset.
  const shownAt = (second: number) => {
    const trueMs = recordedAt(recorded, second)
    return trueMs === null ? null : new Date(trueMs + (corrected ? 0 : skew)).toISOString()
  }
  const wall = shownAt(at)
  const clockAt = (second: number) => {
    const shown = shownAt(second)
    return shown && zonedClock(shown, zone)
  }
  const small = (s: number) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}.${String(Math.floor((s % 1) * 1000)).padStart(3, '0')}`

  return (
    <div className="player" ref={frame} role="group" aria-label={`Player: ${name}`} onKeyDown={keys}>
      <div className="player-stage">
        <video ref={video} src={src} preload="metadata" playsInline tabIndex={0} aria-label={name} onClick={toggle}
          disablePictureInPicture={!!viewer}
          onLoadedMetadata={(e) => { setLength(e.currentTarget.duration); measure(e.currentTarget) }} onResize={(e) => measure(e.currentTarget)} onTimeUpdate={(e) => setAt(e.currentTarget.currentTime)} onSeeked={(e) => setAt(e.currentTarget.currentTime)}
          onPlay={() => setPlaying(true)} onPause={() => setPlaying(false)} onError={() => setBroken(true)} />
        {viewer && size.width > 0 && <Viewer name={viewer} {...size} />}
        {blank && <p className="player-blank" role="status">No footage from {clockAt(blank.from)} to {clockAt(blank.to)}. <button type="button" onClick={() => seek(blank.to + step / 2)}>Go on at {clockAt(blank.to)}</button></p>}
      </div>
      {broken && <p className="player-broken" role="alert">This browser cannot play the copy. The original is not affected.</p>}
      <input className="player-seek" type="range" min={0} max={length || 1} step={step} value={at} aria-label="Position" aria-valuetext={small(at)} onChange={(e) => seek(Number(e.currentTarget.value))} />
      {without.length > 0 && <div className="player-blanks" aria-hidden>{without.map((b) => <i key={b.from} title={`No footage from ${clockAt(b.from)} to ${clockAt(b.to)}`} style={{ left: `${(b.from / length) * 100}%`, width: `${((b.to - b.from) / length) * 100}%` }} />)}</div>}
      <div className="player-bar">
        <Tooltip label={playing ? 'Pause (space)' : 'Play (space)'}><ActionIcon variant="filled" color="signal" size={32} aria-label={playing ? 'Pause' : 'Play'} onClick={toggle}>{playing ? <IconPlayerPauseFilled size={16} /> : <IconPlayerPlayFilled size={16} />}</ActionIcon></Tooltip>
        <Tooltip label="One frame back (,)"><ActionIcon aria-label="One frame back" onClick={() => nudge(-1)}><IconPlayerSkipBack size={16} /></ActionIcon></Tooltip>
        <Tooltip label="One frame on (.)"><ActionIcon aria-label="One frame on" onClick={() => nudge(1)}><IconPlayerSkipForward size={16} /></ActionIcon></Tooltip>
        <span className="num small">{small(at)} <span className="dim">/ {small(length)}</span></span>
        {wall && <span className="num player-wall">{day(wall, zone)} <strong>{exactClock(wall, zone)}</strong> {zoneName(wall, zone)}</span>}
        {skew !== 0 && <Checkbox label="Corrected" title="Show true time instead of what the recorder's clock showed" checked={corrected} onChange={(e) => setCorrected(e.currentTarget.checked)} />}
        <span className="row push">
          <NativeSelect aria-label="Speed" size="xs" w={72} value={speed} onChange={(e) => pace(e.currentTarget.value)} data={SPEEDS.map((s) => ({ value: s, label: `${s}×` }))} />
          <Tooltip label="Save this picture"><ActionIcon aria-label="Save this picture" onClick={snapshot}><IconCamera size={17} /></ActionIcon></Tooltip>
          <Tooltip label="Whole screen"><ActionIcon aria-label="Whole screen" onClick={() => (document.fullscreenElement ? document.exitFullscreen() : frame.current?.requestFullscreen())}><IconMaximize size={16} /></ActionIcon></Tooltip>
        </span>
      </div>
    </div>
  )
}
