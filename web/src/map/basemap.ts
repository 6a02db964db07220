import type { FeatureCollection } from 'geojson'
import { setWorkerUrl } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import worldUrl from 'world-atlas/countries-50m.json?url'
import { flat } from '~/lib/world.ts'

setWorkerUrl(workerUrl)

let world: Promise<FeatureCollection> | null = null
/** The coasts and borders, from a file of our own. */
export function loadWorld(): Promise<FeatureCollection> {
  world ??= fetch(worldUrl)
    .then((response) => response.json() as Promise<Topology<{ countries: GeometryCollection }>>)
    .then((topology) => flat(feature(topology, topology.objects.countries) as FeatureCollection))
  return world
}
