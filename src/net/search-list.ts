/** The expansions of a short name, as resolv.conf(5) defines them. Cold. */

/** Returns the names in query order. `conf` is the text of resolv.conf. */
export function searchedNames(name: string, conf: string): string[] {
  if (name.endsWith('.')) return [name];
  let search: string[] = [];
  let ndots = 1;
  for (const line of conf.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    // The last of several lines applies.
    if (word === 'search' || word === 'domain') search = rest;
    if (word !== 'options') continue;
    for (const option of rest) {
      const [, dots] = /^ndots:(\d+)$/.exec(option) ?? [];
      if (dots !== undefined) ndots = Math.min(15, Number(dots));
    }
  }
  const long = search.filter((domain) => domain !== '.').map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...long] : [...long, name];
}
