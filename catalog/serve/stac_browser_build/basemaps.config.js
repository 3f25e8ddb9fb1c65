// No basemap: an archive opens without a network, and its rasters carry their own shaded relief.
export default function configureBasemap() {
  return [];
}
