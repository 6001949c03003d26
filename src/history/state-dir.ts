/** Finds the history of a config file, even if the file has problems. Cold. */
import { dirname, resolve } from 'node:path';
import { parseConfig } from '../config/parse.ts';
import { expand } from '../config/references.ts';
import type { ConfigReader } from '../config/config-reader.ts';
import { isRecord } from '../config/walk.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The file's setting `reload.state_dir`: its exact value if the file can be parsed, else a guess from the text of a
 * line. A wrong guess does no harm: only entries stored for this same file are used. null: it is not set.
 */
export function stateDirOf(file: string, env: Environment, reader: ConfigReader): string | null {
  const text = reader.config(file);
  if (typeof text !== 'string') return null;
  const { value } = parseConfig(file, text);
  const said = value === undefined ? lookFor(text) : settingOf(value);
  if (said === null) return null;
  let known = true;
  const scope = { env, readFile: (path: string) => reader.look(path) };
  const { value: path } = expand(said, file, scope, false, () => (known = false));
  return known && path !== '' ? resolve(dirname(file), path) : null;
}

function settingOf(value: unknown): string | null {
  const reload = isRecord(value) ? value['reload'] : null;
  const path = isRecord(reload) ? reload['state_dir'] : null;
  return typeof path === 'string' ? path : null;
}

/** `state_dir: ./state`, `{ state_dir: "./state", …`, `"state_dir": "./state"`. */
function lookFor(text: string): string | null {
  const found = /^[^#\n]*?["']?\bstate_dir["']?[ \t]*:[ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"',}#]+))/m.exec(text);
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? null;
}
