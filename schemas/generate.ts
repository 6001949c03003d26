/**
 * Derives everything that follows from the schemas: `npm run generate`. A test checks that the tree holds what it makes.
 *
 *   schemas/*.schema.json ──▶ src/config/schema.gen.ts      types, and the bundled schema that ajv and editors read
 *                         ├─▶ docs/reference/config.md      every setting: type, default, what a change of it resets
 *                         └─▶ docs/reference/gateway.schema.json   for editors: short forms and references allowed
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { editorSchema } from '../src/config/editor-schema.ts';

interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string;
  const?: unknown;
  enum?: unknown[];
  format?: string;
  default?: unknown;
  examples?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  oneOf?: Schema[];
  'x-reload'?: string;
  /** What lasts under such a node: a change of any setting in it that is not marked `x-reload: keep` resets that. */
  'x-state'?: string;
  'x-short'?: string;
  'x-above-zero'?: string;
  'x-secret'?: boolean;
  'x-exactly-one'?: string[];
}

const here = fileURLToPath(new URL('.', import.meta.url));
const ROOT = 'gateway';

/** Folders of schemas that are told apart by what they are, and what that is. */
const FOLDERS: Readonly<Record<string, string>> = {
  policies: 'policy',
  strategies: 'strategy',
  invariants: 'invariant',
};

/** All schemas by name: `listener`, `acl-policy`, `random-strategy`, … */
function readSchemas(): Map<string, Schema> {
  const all = new Map<string, Schema>();
  for (const folder of ['', ...Object.keys(FOLDERS)]) {
    for (const file of readdirSync(join(here, folder)).toSorted()) {
      if (!file.endsWith('.schema.json')) continue;
      const name = nameOf(join(folder, file));
      all.set(name, localRefs(JSON.parse(readFileSync(join(here, folder, file), 'utf8'))) as Schema);
    }
  }
  return all;
}

function nameOf(path: string): string {
  const name = basename(path, '.schema.json');
  const kind = FOLDERS[basename(dirname(path))];
  return kind === undefined ? name : `${name}-${kind}`;
}

/** References between files become references within the bundle. */
function localRefs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(localRefs);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '$schema')
      .map(([key, inner]) => [key, key === '$ref' ? `#/$defs/${nameOf(String(inner))}` : localRefs(inner)]),
  );
}

function bundle(all: ReadonlyMap<string, Schema>): object {
  const { [ROOT]: root, ...rest } = Object.fromEntries(all);
  const properties = {
    $schema: { description: 'Where an editor finds this schema.', type: 'string' },
    ...root?.properties,
  };
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...root, properties, $defs: rest };
}

function typeOf(schema: Schema, all: ReadonlyMap<string, Schema>): string {
  if (schema.$ref !== undefined) return all.get(schema.$ref.replace('#/$defs/', ''))?.title ?? 'never';
  if (schema.oneOf !== undefined) return schema.oneOf.map((one) => typeOf(one, all)).join(' | ');
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
  if (schema.type === 'array') {
    const item = typeOf(schema.items ?? {}, all);
    return `readonly ${item.includes(' ') ? `(${item})` : item}[]`;
  }
  if (schema.type === 'object')
    return `Readonly<Record<string, ${typeOf(schema.additionalProperties as Schema, all)}>>`;
  if (schema.format === 'duration' || schema.format === 'size') return 'number';
  return schema.type === 'integer' ? 'number' : (schema.type ?? 'unknown');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function declaration(schema: Schema, all: ReadonlyMap<string, Schema>): string {
  const head = `/** ${schema.description} */\nexport `;
  if (schema.properties === undefined) return `${head}type ${schema.title} = ${typeOf(schema, all)};\n`;
  const lines = Object.entries(schema.properties).map(([name, property]) => {
    const always = property.default !== undefined || schema.required?.includes(name);
    const described = property.description ?? all.get(property.$ref?.replace('#/$defs/', '') ?? '')?.description;
    return `  /** ${described} */\n  readonly ${name}${always ? '' : '?'}: ${typeOf(property, all)};`;
  });
  return `${head}interface ${schema.title} {\n${lines.join('\n')}\n}\n`;
}

function typescript(all: ReadonlyMap<string, Schema>): string {
  const types = [...all.values()].map((schema) => declaration(schema, all)).join('\n');
  return `/* Generated from schemas/ by \`npm run generate\`: edit the schemas, not this file. */\n\n${types}\n/** All schemas in one, draft 2020-12. */\nexport const schema: object = ${JSON.stringify(bundle(all), null, 2)};\n`;
}

function shownType(schema: Schema, all: ReadonlyMap<string, Schema>): string {
  if (schema.$ref !== undefined) {
    const title = all.get(schema.$ref.replace('#/$defs/', ''))?.title ?? '';
    return `[${title}](#${title.toLowerCase()})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((one) => `\`${String(one)}\``).join(', ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.type === 'array') return `list of ${shownType(schema.items ?? {}, all)}`;
  if (schema.type === 'object') {
    const inner = shownType(schema.additionalProperties as Schema, all);
    return inner === '' ? 'map' : `map by name of ${inner}`;
  }
  const plain = schema.format ?? schema.type ?? '';
  return schema['x-above-zero'] === undefined ? plain : `${plain}, more than 0`;
}

/** What a change of this setting resets. */
function resets(property: Schema, of: Schema): string {
  if (property.$ref !== undefined || (property.items ?? property.additionalProperties) instanceof Object) {
    const inner = property.$ref ?? property.items?.$ref ?? (property.additionalProperties as Schema | undefined)?.$ref;
    if (inner !== undefined) return 'as said there';
  }
  return property['x-reload'] === 'keep' ? 'nothing' : (of['x-state'] ?? 'nothing');
}

function reference(all: ReadonlyMap<string, Schema>): string {
  const out = [
    '# Config reference',
    '',
    'Generated from `schemas/` by `npm run generate`. Durations are written `250ms`, `30s`, `5m`, `1h`; sizes `512`, `16KiB`, `8MiB`.',
    'A timeout of 0 is no timeout, wherever 0 is allowed ([timeouts](../timeouts.md)).',
    'What a change of a setting resets stands behind it; *nothing*: all that lasts goes on, and what comes after meets the new value. What lasts belongs to names:',
    'a listener, pool, endpoint or route of another name begins anew. What becomes of exchanges and streams under way is in [LIFE_OF_A_RELOAD](../LIFE_OF_A_RELOAD.md).',
  ];
  for (const schema of [all.get(ROOT), ...[...all].filter(([name]) => name !== ROOT).map(([, one]) => one)]) {
    if (schema?.title === undefined) continue;
    out.push('', `## ${schema.title}`, '', schema.description ?? '');
    if (schema.oneOf !== undefined)
      out.push('', `One of: ${schema.oneOf.map((one) => shownType(one, all)).join(', ')}.`);
    if (schema.properties === undefined) continue;
    out.push('', '| setting | type | default | what it does | a change resets |', '| --- | --- | --- | --- | --- |');
    for (const [name, property] of Object.entries(schema.properties)) {
      if (name === '$schema') continue;
      const described =
        property.description ?? all.get(property.$ref?.replace('#/$defs/', '') ?? '')?.description ?? '';
      const standard =
        property.default === undefined
          ? schema.required?.includes(name)
            ? 'required'
            : ''
          : `\`${JSON.stringify(property.default)}\``;
      const secret = property['x-secret'] === true ? ' *Secret: never shown; best a reference.*' : '';
      out.push(
        `| \`${name}\` | ${shownType(property, all)} | ${standard} | ${described}${secret} | ${resets(property, schema)} |`,
      );
    }
  }
  return `${out.join('\n')}\n`;
}

/** What belongs where, by path from the project's root. */
export function generated(): Record<string, string> {
  const all = readSchemas();
  return {
    'src/config/schema.gen.ts': typescript(all),
    'docs/reference/config.md': reference(all),
    'docs/reference/gateway.schema.json': `${JSON.stringify(editorSchema(bundle(all)), null, 2)}\n`,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generated())) writeFileSync(join(here, '..', path), text);
}
