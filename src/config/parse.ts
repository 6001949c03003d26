/**
 * Parses text to a value, by the file's extension, with the position of every key and value. Cold.
 *
 * Only the extension decides: YAML would read a JSON5 comment as a key. Duplicate keys are problems in all formats.
 */
import { extname } from 'node:path';
import { parseJsonOr5 } from './parse-json.ts';
import { parseYaml } from './parse-yaml.ts';
import { broken, DEEPEST, type ParsedFile, tooDeep } from './parsed-file.ts';

export function parseConfig(file: string, text: string): ParsedFile {
  const top = { file, line: 1, column: 1 };
  try {
    const parsed = parseByName(file, text);
    return isDeeper(parsed.value, DEEPEST) ? tooDeep(top) : parsed;
  } catch (error) {
    // A parser throws this error when its stack overflows.
    if (error instanceof RangeError) return tooDeep(top);
    throw error;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1));
}

function parseByName(file: string, text: string): ParsedFile {
  const extension = extname(file).toLowerCase();
  if (text.trim() === '' && /^\.(ya?ml|json5?)$/.test(extension))
    return { value: undefined, problems: [], locate: () => ({ file, line: 1, column: 1 }) };
  if (extension === '.yaml' || extension === '.yml') return parseYaml(file, text);
  if (extension === '.json' || extension === '.json5')
    return parseJsonOr5(file, text, extension === '.json' ? 'json' : 'json5');
  const place = { file, line: 1, column: 1 };
  return broken(place, `cannot tell the format of ${file}`, 'the name must end in .yaml, .yml, .json or .json5');
}
