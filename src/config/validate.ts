/**
 * Validates a document against the schema: fills in defaults, and reports each problem once, in readable words. Cold.
 */
import { Ajv2020, type ErrorObject, type FormatDefinition, type ValidateFunction } from 'ajv/dist/2020.js';
import { suggest } from '../kit/suggest.ts';
import { parseDuration } from '../kit/units.ts';
import { formatProblems } from './formats.ts';
import { foreignWord, hintOfFormat, laterPolicy, typeHint } from './hints.ts';
import type { Locate } from './merge.ts';
import { errorAt, type Problem } from './problem.ts';
import { schema } from './schema.gen.ts';
import { resolveSchema, type SchemaNode, segment } from './walk.ts';

/** Throws the library's error if it is no valid schema. */
export function makeValidator(schema: object): ValidateFunction {
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    discriminator: true,
    strict: false,
    verbose: true,
    // It would tell of unknown formats in the schemas of modules.
    logger: false,
  });
  for (const [name, problemOf] of Object.entries(formatProblems)) {
    const format: FormatDefinition<string> = { type: 'string', validate: (text) => problemOf(text) === null };
    ajv.addFormat(name, format);
  }
  ajv.addKeyword({
    keyword: 'x-exactly-one',
    type: 'object',
    schemaType: 'array',
    validate: (names: string[], data: object) => names.filter((name) => Object.hasOwn(data, name)).length === 1,
  });
  ajv.addKeyword({
    keyword: 'x-above-zero',
    type: 'string',
    schemaType: 'string',
    validate: (_: string, text: string) => parseDuration(text) !== 0,
  });
  return ajv.compile(schema);
}

let validator: ValidateFunction | undefined;

/** Fills defaults into `document`, in place; returns the problems. `hidden`: whether a value must not be shown. */
export function validate(document: unknown, locate: Locate, hidden: (pointer: string) => boolean): Problem[] {
  validator ??= makeValidator(schema);
  return validateBy(validator, document, '', locate, hidden);
}

/** Validates the part of a document at the pointer `base` by a schema of its own. */
export function validateBy(
  valid: ValidateFunction,
  part: unknown,
  base: string,
  locate: Locate,
  hidden: (pointer: string) => boolean,
): Problem[] {
  if (valid(part)) return [];
  const errors = (valid.errors ?? []).map((error) => ({ ...error, instancePath: `${base}${error.instancePath}` }));
  const problems = errors.flatMap((error) => problemOf(error, locate, hidden) ?? []);
  const seen = new Set<string>();
  return problems.filter(
    ({ pointer, message }) => !seen.has(`${pointer} ${message}`) && seen.add(`${pointer} ${message}`),
  );
}

function problemOf(error: ErrorObject, locate: Locate, hidden: (pointer: string) => boolean): Problem | null {
  const pointer = error.instancePath;
  // ajv types params by keyword only; each is read below where its keyword is known.
  const params = error.params as Record<string, unknown>;
  const at = (message: string, hint?: string, where = pointer, what: 'key' | 'value' = 'value'): Problem =>
    errorAt(locate(where, what), where, message, hint);
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema as { properties?: object })?.properties ?? {});
      const near = suggest(name, known);
      const { title = '' } = error.parentSchema as UnionNode;
      return at(
        `unknown setting ${name}`,
        foreignWord(title, name) ?? (near === undefined ? undefined : `did you mean ${near}?`),
        `${pointer}/${segment(name)}`,
        'key',
      );
    }
    case 'required':
      return at(`needs the setting ${String(params['missingProperty'])}`);
    case 'enum': {
      const allowed = (params['allowedValues'] as unknown[]).map(String);
      const near = typeof error.data === 'string' && !hidden(pointer) ? suggest(error.data, allowed) : undefined;
      return at(`must be one of ${allowed.join(', ')}`, near === undefined ? undefined : `did you mean ${near}?`);
    }
    case 'const':
      return at(`must be ${String(params['allowedValue'])}`);
    case 'format': {
      const format = String(params['format']);
      const text = String(error.data);
      const message = formatProblems[format]?.(text) ?? `must be a ${format}`;
      // Of the name in a map, not of a value: it is told at the name.
      if (error.propertyName !== undefined) return at(message, undefined, `${pointer}/${segment(text)}`, 'key');
      return at(message, hidden(pointer) ? undefined : hintOfFormat(hintFormat(format, pointer), text));
    }
    case 'discriminator': {
      const union = error.parentSchema as UnionNode;
      const types = union.oneOf?.map((one) => typeOf(one)) ?? [];
      const value = params['tagValue'];
      const secret = hidden(`${pointer}/type`);
      const near = typeof value === 'string' && !secret ? suggest(value, types) : undefined;
      const guess = near === undefined ? undefined : `did you mean ${near}?`;
      // Where the type alone is a valid short form, the message lists the choices.
      if (union['x-short'] === 'type' && value !== undefined)
        return at(`must be one of ${types.join(', ')}`, guess, `${pointer}/type`);
      return at(
        typeof value !== 'string'
          ? 'needs the setting type'
          : `unknown ${nounOf(union)} type${secret ? '' : ` ${value}`}`,
        (typeof value === 'string' ? laterPolicy(value) : undefined) ?? guess ?? `one of ${types.join(', ')}`,
      );
    }
    case 'x-above-zero':
      return at('must be more than 0', String(error.schema));
    case 'x-exactly-one':
      return at(`needs exactly one of ${(error.schema as string[]).join(', ')}`);
    case 'type': {
      const schema = error.parentSchema as UnionNode;
      const wanted = String(params['type']);
      const { data } = error;
      // The schema wants text and the value is a number: describing the format helps more.
      const message = typeof data === 'number' ? formatProblems[schema.format ?? '']?.(`${data}?`) : null;
      return at(
        message ?? `must be ${article(wanted)}`,
        hidden(pointer)
          ? undefined
          : typeHint(data, wanted, { ...schema, format: hintFormat(schema.format ?? '', pointer) }, schema.title),
      );
    }
    case 'pattern': {
      const message = (error.parentSchema as { 'x-says'?: string })['x-says'] ?? 'is not a well-formed value here';
      const { propertyName: name } = error;
      return name === undefined ? at(message) : at(message, undefined, `${pointer}/${segment(name)}`, 'key');
    }
    case 'minLength':
      if (Number(params['limit']) > 1) return at(`must have at least ${String(params['limit'])} characters`);
      return at('must not be empty');
    case 'uniqueItems': {
      const last = Math.max(Number(params['i']), Number(params['j']));
      return at('is in the list twice', undefined, `${pointer}/${last}`);
    }
    case 'minItems':
      return at('must not be empty');
    case 'minimum':
      return at(`must be at least ${String(params['limit'])}`);
    case 'maximum':
      return at(`must be at most ${String(params['limit'])}`);
    // The error beneath it is more specific.
    case 'propertyNames':
    case 'oneOf':
      return null;
    default:
      return at(error.message ?? 'is not valid');
  }
}

/** Suggest a local address for the admin listener, as for a backend. */
function hintFormat(format: string, pointer: string): string {
  return pointer.startsWith('/admin/') && format === 'listen-address' ? 'address' : format;
}

type UnionNode = SchemaNode & { readonly title?: string };

/** The readable noun for the members of a union: "policy" for PolicyConfig. */
function nounOf({ title = '' }: UnionNode): string {
  return title.replace(/Config$/, '').toLowerCase();
}

/** The `type` value that identifies a member of a union. */
function typeOf(member: SchemaNode): string {
  return String(resolveSchema(member, undefined).properties?.['type']?.const);
}

function article(type: string): string {
  const names: Record<string, string> = {
    object: 'a map',
    array: 'a list',
    integer: 'a whole number',
    string: 'a text',
    boolean: 'true or false',
  };
  return names[type] ?? `a ${type}`;
}
