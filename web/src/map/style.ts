import type { FeatureCollection } from 'geojson'
import type { StyleSpecification } from 'maplibre-gl'

interface Paint {
  water: string; land: string; border: string; park: string; building: string; buildingEdge: string
  street: string; casing: string; label: string; halo: string
}
const PAINTS: Record<'light' | 'dark', Paint> = {
  light: {
    water: '#cfdde8', land: '#f1f2f0', border: '#c3c8cc', park: '#dfeadb', building: '#e4e5e4', buildingEdge: '#d4d6d6',
    street: '#ffffff', casing: '#d9dcdd', label: '#4e5865', halo: '#ffffff',
  },
  dark: {
    water: '#0b141d', land: '#13171c', border: '#2f3843', park: '#15211b', building: '#1b2027', buildingEdge: '#242b34',
    street: '#2b333d', casing: '#0f1317', label: '#a2adbb', halo: '#10141a',
  },
}
const EMPTY: FeatureCollection = { type: 'FeatureCollection', features: [] }
const FONT = ['system-ui', 'sans-serif']

/** The ground: coasts from afar, the agency's own streets from near. Cameras are drawn above it. */
export function groundStyle(scheme: 'light' | 'dark', world: FeatureCollection | null, hasStreets: boolean): StyleSpecification {
  const p = PAINTS[scheme]
  const kind = (name: string) => ['==', ['get', 'kind'], name] as ['==', ['get', string], string]
  return {
    version: 8,
    sources: {
      world: { type: 'geojson', data: world ?? EMPTY },
      streets: { type: 'geojson', data: hasStreets ? '/api/v1/map/streets.geojson' : EMPTY },
    },
    layers: [
      // Near the ground the coarse coast would lie, so the land takes over and the agency's layer brings the water.
      { id: 'ground', type: 'background', paint: { 'background-color': ['interpolate', ['linear'], ['zoom'], 8, p.water, 10, p.land] } },
      { id: 'land', type: 'fill', source: 'world', maxzoom: 11, paint: { 'fill-color': p.land } },
      { id: 'borders', type: 'line', source: 'world', maxzoom: 11, paint: { 'line-color': p.border, 'line-width': 0.7 } },
      { id: 'water', type: 'fill', source: 'streets', filter: kind('water'), paint: { 'fill-color': p.water } },
      { id: 'parks', type: 'fill', source: 'streets', filter: kind('park'), paint: { 'fill-color': p.park } },
      {
        id: 'buildings', type: 'fill', source: 'streets', filter: kind('building'), minzoom: 13.5,
        paint: { 'fill-color': p.building, 'fill-outline-color': p.buildingEdge },
      },
      {
        id: 'street-casing', type: 'line', source: 'streets', filter: kind('street'), layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': p.casing, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 11, 1.2, 14, 5, 18, 30] },
      },
      {
        id: 'streets', type: 'line', source: 'streets', filter: kind('street'), layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': p.street, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 11, 0.6, 14, 3.6, 18, 26] },
      },
      {
        id: 'street-names', type: 'symbol', source: 'streets', filter: ['all', kind('street'), ['has', 'name']], minzoom: 13,
        layout: { 'symbol-placement': 'line', 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': ['interpolate', ['linear'], ['zoom'], 13, 10.5, 17, 13], 'symbol-spacing': 320 },
        paint: { 'text-color': p.label, 'text-halo-color': p.halo, 'text-halo-width': 1.4 },
      },
      {
        id: 'place-names', type: 'symbol', source: 'streets', filter: ['all', ['in', ['get', 'kind'], ['literal', ['label', 'park', 'water']]], ['has', 'name']], minzoom: 12,
        layout: { 'text-field': ['get', 'name'], 'text-font': FONT, 'text-size': 12, 'text-max-width': 8 },
        paint: { 'text-color': p.label, 'text-halo-color': p.halo, 'text-halo-width': 1.4 },
      },
    ],
  }
}

/** Colours of what is drawn above the ground. */
export const INK = {
  light: { dot: '#3d4754', ring: '#ffffff', off: '#8b95a3', accent: '#1f55c4', accentSoft: '#1f55c4', text: '#ffffff', cluster: '#3d4754' },
  dark: { dot: '#c9d1db', ring: '#0d1014', off: '#6f7b8a', accent: '#84abff', accentSoft: '#84abff', text: '#0d1014', cluster: '#b5bfcb' },
} as const
