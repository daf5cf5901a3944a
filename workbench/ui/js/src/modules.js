// Modules that come after the first paint: as bytes from Python, once per page.
const loading = new Map();

export function loadModule(bus, name) {
  if (!loading.has(name)) {
    const load = async () => {
      const data = await bus.ask("lab", "module", { name });
      if (!data || !data.byteLength) return null;
      const bytes = data.buffer ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
      const url = URL.createObjectURL(new Blob([bytes], { type: "text/javascript" }));
      try {
        return await import(url);
      } finally {
        URL.revokeObjectURL(url);
      }
    };
    loading.set(name, load().catch(() => {
      loading.delete(name);
      return null;
    }));
  }
  return loading.get(name);
}
