/** Query parameters in the form encoding. Hot. */

/** Returns the first value of a query parameter, decoded; '' if it has no value. `query` begins with "?" or is ''. */
export function queryValue(query: string, name: string): string | undefined {
  let from = 1;
  while (from < query.length) {
    let end = query.indexOf('&', from);
    if (end < 0) end = query.length;
    const equals = query.indexOf('=', from);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (decodeQuery(query.slice(from, nameEnd)) === name)
      return decodeQuery(query.slice(Math.min(nameEnd + 1, end), end));
    from = end + 1;
  }
  return undefined;
}

/** Reads `+` as a space; invalid encodings are unchanged. */
export function decodeQuery(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  return text
    .replaceAll('+', ' ')
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}
