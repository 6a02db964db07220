import { useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Layer, Map as MapView, type MapLayerMouseEvent, type MapRef, NavigationControl, Popup, ScaleControl, Source as MapSource } from '@vis.gl/react-maplibre'
import type { GeoJSONSource } from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import { type Dispatch, type ReactNode, type SetStateAction, useEffect, useMemo, useRef, useState } from 'react'
import type { Position, Source } from '~/api/types.ts'
import type { Box } from '~/lib/geo.ts'
import { loadWorld } from './basemap.ts'
import { cones, points, reach } from './features.ts'
import { groundStyle, INK } from './style.ts'
import './map.css'

/** An exact box is one that a map showed before; around others there is some room. */
export interface MapTarget { box?: Box; exact?: boolean; at?: Position; zoom?: number; key: string }

const room = (target: MapTarget) => (target.exact ? {} : { padding: 48, maxZoom: 16.5 })

/** Cameras above the agency's streets: points, clusters from afar, what each one sees from near. */
export function SourceMap({ sources, chosen, hover, near, radius, target, hasStreets, still = false, label, onHover, onPick, onMove, onPoint, card }: {
  sources: Source[]; chosen: Set<string>; hover: string | null; near: Position | null; radius: number
  target: MapTarget | null; hasStreets: boolean; still?: boolean; label: string
  onHover?: Dispatch<SetStateAction<string | null>>; onPick?: (id: string) => void; onMove?: (box: Box) => void; onPoint?: (at: Position) => void
  card?: (source: Source) => ReactNode
}) {
  const scheme = useComputedColorScheme('light')
  const map = useRef<MapRef>(null)
  const lit = useRef<string | null>(null)
  const [ready, setReady] = useState(false)
  const { data: world } = useQuery({ queryKey: ['world'], queryFn: loadWorld, staleTime: Number.POSITIVE_INFINITY })
  const style = useMemo(() => groundStyle(scheme, world ?? null, hasStreets), [scheme, world, hasStreets])
  const dots = useMemo(() => points(sources, chosen), [sources, chosen])
  const wedges = useMemo(() => cones(sources, chosen), [sources, chosen])
  const ring = useMemo(() => reach(near, radius), [near, radius])
  const under = hover ? sources.find((s) => s.id === hover) : undefined
  const ink = INK[scheme]

  useEffect(() => {
    if (!ready || !target || !map.current) return
    const quick = still || matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 350
    if (target.box) map.current.fitBounds(target.box, { ...room(target), duration: quick })
    else if (target.at) map.current.flyTo({ center: [target.at.lon, target.at.lat], zoom: target.zoom ?? 16, duration: quick })
  }, [ready, target, still])

  // The map puts out only what it lit itself: when it is told that the pointer has left, a row of the list may be lit already.
  function light(id: string | null) {
    const was = lit.current
    lit.current = id
    onHover?.((now) => id ?? (now === was ? null : now))
  }

  async function click(event: MapLayerMouseEvent) {
    const hit = event.features?.[0]
    if (!hit || !map.current) return
    if (hit.properties.cluster) {
      const source = map.current.getSource('cameras') as unknown as GeoJSONSource
      const zoom = await source.getClusterExpansionZoom(hit.properties.cluster_id as number)
      map.current.easeTo({ center: (hit.geometry as unknown as { coordinates: [number, number] }).coordinates, zoom: zoom + 0.2, duration: 300 })
    } else onPick?.(String(hit.properties.id))
  }

  return (
    <div className="map" role="region" aria-label={label} aria-busy={!ready}>
      <MapView
        ref={map}
        mapStyle={style}
        initialViewState={target?.box ? { bounds: target.box, fitBoundsOptions: room(target) } : target?.at ? { longitude: target.at.lon, latitude: target.at.lat, zoom: target.zoom ?? 15 } : { longitude: 0, latitude: 25, zoom: 1.2 }}
        interactive={!still}
        interactiveLayerIds={still ? [] : ['clusters', 'dots']}
        attributionControl={false}
        dragRotate={false}
        touchPitch={false}
        maxPitch={0}
        fadeDuration={0}
        cursor={hover ? 'pointer' : undefined}
        onLoad={() => setReady(true)}
        onClick={click}
        onContextMenu={(event) => { const at = event.lngLat.wrap(); onPoint?.({ lat: at.lat, lon: at.lng }) }}
        onMouseMove={(event) => light((event.features?.[0]?.properties.id as string | undefined) ?? null)}
        onMouseOut={() => light(null)}
        onMoveEnd={(event) => {
          if (!event.originalEvent && !ready) return
          const b = event.target.getBounds()
          onMove?.([b.getWest(), b.getSouth(), b.getEast(), b.getNorth()])
        }}
      >
        {!still && <NavigationControl showCompass={false} position="top-right" />}
        {!still && <ScaleControl position="bottom-right" />}
        <MapSource id="reach" type="geojson" data={ring}>
          <Layer id="reach-fill" type="fill" filter={['==', ['geometry-type'], 'Polygon']} paint={{ 'fill-color': ink.accent, 'fill-opacity': 0.06 }} />
          <Layer id="reach-line" type="line" filter={['==', ['geometry-type'], 'Polygon']} paint={{ 'line-color': ink.accent, 'line-width': 1.5, 'line-dasharray': [3, 2] }} />
        </MapSource>
        <MapSource id="cones" type="geojson" data={wedges}>
          <Layer id="cone-fill" type="fill" minzoom={14} paint={{
            'fill-color': ['case', ['==', ['get', 'chosen'], 1], ink.accentSoft, ink.dot],
            'fill-opacity': ['case', ['==', ['get', 'id'], hover ?? ''], 0.38, ['==', ['get', 'chosen'], 1], 0.28, scheme === 'dark' ? 0.13 : 0.1],
          }} />
          <Layer id="cone-line" type="line" minzoom={14} paint={{
            'line-color': ['case', ['==', ['get', 'chosen'], 1], ink.accent, ink.dot],
            'line-opacity': ['case', ['any', ['==', ['get', 'id'], hover ?? ''], ['==', ['get', 'chosen'], 1]], 0.8, 0.28], 'line-width': 1,
          }} />
        </MapSource>
        <MapSource id="cameras" type="geojson" data={dots} cluster clusterMaxZoom={13} clusterRadius={42} clusterProperties={{ chosen: ['+', ['get', 'chosen']] }}>
          <Layer id="clusters" type="circle" filter={['has', 'point_count']} paint={{
            'circle-color': ['case', ['>', ['get', 'chosen'], 0], ink.accent, ink.cluster],
            'circle-radius': ['interpolate', ['linear'], ['get', 'point_count'], 2, 12, 20, 17, 200, 26], 'circle-stroke-color': ink.ring, 'circle-stroke-width': 2,
          }} />
          <Layer id="cluster-count" type="symbol" filter={['has', 'point_count']} layout={{ 'text-field': ['get', 'point_count_abbreviated'], 'text-font': ['system-ui', 'sans-serif'], 'text-size': 12.5, 'text-allow-overlap': true }} paint={{ 'text-color': ink.text }} />
          <Layer id="dots" type="circle" filter={['!', ['has', 'point_count']]} paint={{
            'circle-color': ['case', ['==', ['get', 'chosen'], 1], ink.accent, ['==', ['get', 'live'], 0], ink.ring, ink.dot],
            'circle-radius': ['case', ['==', ['get', 'id'], hover ?? ''], 8, ['==', ['get', 'chosen'], 1], 7, 5.5],
            'circle-stroke-color': ['case', ['==', ['get', 'live'], 0], ink.off, ink.ring], 'circle-stroke-width': 2,
          }} />
        </MapSource>
        <MapSource id="spot" type="geojson" data={ring}>
          <Layer id="spot" type="circle" filter={['==', ['geometry-type'], 'Point']} paint={{ 'circle-color': ink.ring, 'circle-radius': 5, 'circle-stroke-color': ink.accent, 'circle-stroke-width': 3 }} />
        </MapSource>
        {under?.position && card && (
          <Popup longitude={under.position.lon} latitude={under.position.lat} closeButton={false} closeOnClick={false} offset={14} maxWidth="260px" focusAfterOpen={false} className="map-card">
            {card(under)}
          </Popup>
        )}
      </MapView>
    </div>
  )
}
