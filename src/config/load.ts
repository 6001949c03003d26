/**
 * Text to GatewayConfig: the stages in order. Cold.
 *
 *     read ─▶ parse ─▶ merge includes ─▶ references and short forms ─▶ validate, defaults ─▶ modules, certificates ─▶ units
 *
 * Called by runtime/compile/compile.ts and by `prozy check`. Throws a ConfigError if the files can't be read as a
 * config at all; otherwise it passes problems on to plan/, which adds its own and throws.
 */
import { dirname, resolve } from 'node:path';
import type { ModuleSource } from '../kit/versioned-modules.ts';
import { readTrust } from './acme-trust.ts';
import type { CaBundle } from '../kit/ca-bundle.ts';
import type { AuthorityBundle } from '../kit/client-authorities.ts';
import { checkCaBundles } from './ca-bundles.ts';
import { checkAuthorities, checkTestCertificates } from './client-authorities.ts';
import { checkCertificates, type LoadedCertificate } from './certificates.ts';
import { type Locate, readAndMerge } from './merge.ts';
import { configError, errorAt, inOrder, isError, type Position, type Problem } from './problem.ts';
import { checkModules } from './policy-modules.ts';
import { checkTicketKeys } from './ticket-keys.ts';
import { expand, foreignReference, isReference } from './references.ts';
import { salvage, type Salvaged, whole } from './recover-partial-config.ts';
import type { GatewayConfig } from './schema.gen.ts';
import { ConfigReader } from './config-reader.ts';
import { validate } from './validate.ts';
import { convertUnits, rootSchema, segment, type SchemaNode, writeOut } from './walk.ts';

export interface LoadedConfig {
  readonly config: GatewayConfig;
  readonly locate: Locate;
  /** The text of every config file and module read, for showing lines. */
  readonly texts: ReadonlyMap<string, string>;
  /**
   * The problems so far. If there are errors, the config is the recovered part, in which planning looks for more
   * problems.
   */
  readonly problems: readonly Problem[];
  readonly salvaged: Salvaged;
  /** The values of references and of settings that the schema calls secret: never shown. */
  readonly secrets: readonly string[];
  /** The pointers of secret settings that are written out instead of referenced. */
  readonly openSecrets: readonly string[];
  /** The modules of `module` policies, by absolute path. */
  readonly modules: ReadonlyMap<string, ModuleSource>;
  /** The certificates with their keys, by name. */
  readonly certificates: ReadonlyMap<string, LoadedCertificate>;
  /** The names of the certificates in each folder, those that cannot be used among them. */
  readonly certificateFolders: ReadonlyMap<string, readonly string[]>;
  /** The certificates to trust at authorities, in PEM, by the name of the authority. */
  readonly trust: ReadonlyMap<string, string>;
  /** The authorities of client certificates, by the pointer of their `client_auth`. */
  readonly authorities: ReadonlyMap<string, AuthorityBundle>;
  /** The client certificates of tests in PEM, by the pointer of the test. */
  readonly testCertificates: ReadonlyMap<string, string>;
  /** Unix ms: the time of loading. */
  readonly now: number;
  /** The keys of session tickets by listener, in base64 with spaces between them. */
  readonly ticketKeys: ReadonlyMap<string, string>;
  /** The CA certificates for the endpoints of pools, by the pool's name. */
  readonly caBundles: ReadonlyMap<string, CaBundle>;
}

export interface LoadInput {
  /** Absolute path. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly reader: ConfigReader;
  /** The time at which certificates must be valid, in Unix ms. */
  readonly now: number;
  /** Called when all files have been read and parsed. */
  readonly parsed?: () => void;
  /** Whether the config may name modules (default: yes). If not, they are problems and no module is loaded. */
  readonly modules?: boolean;
}

export function loadConfig({ file, env, reader, now, parsed, modules: allowed = true }: LoadInput): LoadedConfig {
  const merged = readAndMerge(file, reader);
  const { locate } = merged;
  // Only the config's own files are shown, never those that `${file:…}` names.
  const texts = new Map<string, string>();
  for (const path of reader.files) {
    const text = reader.read(path);
    if (text !== null) texts.set(path, text);
  }
  if (merged.broken) throw configError(merged.problems, texts);
  parsed?.();
  const problems: Problem[] = [...merged.problems];
  /** References that can't be resolved: further problems with such a value are not reported. */
  const unresolved: Problem[] = [];
  const hidden = new Map<string, string>();
  const literal: string[] = [];
  const openSecrets: string[] = [];
  const scope = { env, readFile: (path: string) => reader.look(path) };
  const noteSecret = (text: string, pointer: string): void => {
    hidden.set(pointer, text);
    if (text === '' || isReference(text)) return;
    literal.push(text);
    openSecrets.push(pointer);
  };
  const written = writeOut(merged.value, rootSchema, '', (text, pointer, schema) => {
    if (schema['x-secret'] === true) noteSecret(text, pointer);
    if (!text.includes('${')) return text;
    const place = locate(pointer);
    const foreign = foreignReference(text);
    if (foreign !== undefined) problems.push(notReferred(foreign, place, pointer));
    const { value, referred } = expand(text, place.file, scope, schema['x-secret'] === true, (message, hint) =>
      unresolved.push(errorAt(place, pointer, message, hint)),
    );
    if (!referred) return value;
    hidden.set(pointer, value);
    return isReference(text) ? asWanted(value, schema) : value;
  }) as Record<string, unknown>;
  // Writing out a short form puts the value one level deeper.
  const isHidden = (pointer: string): boolean =>
    hidden.has(pointer) || hidden.has(pointer.slice(0, pointer.lastIndexOf('/')));
  const lost = unresolved.map(({ pointer }) => pointer);
  const isLost = (pointer: string): boolean => lost.some((one) => pointer === one || pointer.startsWith(`${one}/`));
  const refused = validate(written, locate, isHidden);
  problems.push(...(lost.length === 0 ? refused : refused.filter(({ pointer }) => !isLost(pointer))));
  const check = { reader, locate, hidden: isHidden, noteSecret, asWanted, allowed, now };
  const { modules, problems: wrong } = checkModules(written, check);
  const { certificates, folders: certificateFolders, problems: unfit } = checkCertificates(written, check);
  const { ticketKeys, problems: unusable } = checkTicketKeys(written, check);
  const { trust, problems: untrusted } = readTrust(written, check);
  const { authorities, problems: distrusted } = checkAuthorities(written, check);
  const { testCertificates, problems: unread } = checkTestCertificates(written, check);
  const { caBundles, problems: unusableCa } = checkCaBundles(written, check);
  blacken(literal, texts);
  for (const [path, text] of reader.texts.texts) if (text !== null && !texts.has(path)) texts.set(path, text);
  problems.push(
    ...[...wrong, ...unfit, ...untrusted, ...distrusted, ...unread, ...unusable, ...unusableCa].filter(
      ({ pointer }) => !isLost(pointer),
    ),
  );
  const errors = [...problems.filter(isError), ...unresolved];
  problems.push(...eachOnce(unresolved));
  const salvaged = errors.length === 0 ? whole(written) : salvage(written, errors);
  // The schema problems of the remaining part have been reported already.
  if (errors.length > 0 && validate(salvaged.document, locate, () => true).length > 0)
    throw configError(inOrder(problems), texts);
  convertUnits(salvaged.document, rootSchema);
  // The document is valid against the schema from which the type was generated.
  const config = withAbsolutePaths(salvaged.document as unknown as GatewayConfig, locate);
  return {
    config,
    locate,
    texts,
    problems,
    salvaged,
    secrets: [...hidden.values()],
    openSecrets,
    modules,
    certificates,
    certificateFolders,
    trust,
    authorities,
    testCertificates,
    now,
    ticketKeys,
    caBundles,
  };
}

/** Replaces secrets that are written out in a file with stars; references stay visible. */
function blacken(secrets: readonly string[], texts: Map<string, string>): void {
  // One secret may be part of another.
  for (const secret of secrets.toSorted((a, b) => b.length - a.length))
    for (const [path, text] of texts) texts.set(path, text.replaceAll(secret, '*'.repeat(secret.length)));
}

function notReferred(text: string, place: Position, pointer: string): Problem {
  const inner = /^\$\{(\w+(?::-[^}]*)?)/.exec(text)![1];
  const hint = `write \${env:${inner}}, or $${text} if this text is meant`;
  return { ...errorAt(place, pointer, `${text} is no reference and stays as it is`, hint), level: 'warning' };
}

/** The most further places reported with a repeated problem. */
const MOST_RELATED = 5;

/** An unset variable is one problem, however often it is referenced. */
function eachOnce(problems: readonly Problem[]): Problem[] {
  return [...Map.groupBy(problems, ({ message }) => message).values()].map(([first, ...others]) => {
    const related = others.slice(0, MOST_RELATED).map((one) => ({ ...one, message: 'and here' }));
    return related.length === 0 ? first! : { ...first!, related };
  });
}

/** Converts the text of a reference to the number or boolean that the schema requires. */
function asWanted(text: string, schema: SchemaNode): unknown {
  if ((schema.type === 'integer' || schema.type === 'number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** Paths are relative to the file that names them. */
function withAbsolutePaths(config: GatewayConfig, locate: Locate): GatewayConfig {
  const absolute = (pointer: string, path: string): string => resolve(dirname(locate(pointer).file), path);
  const { logging, reload } = config;
  const path = logging.access?.path;
  const access =
    path === undefined || path === 'stdout' || path === 'stderr'
      ? {}
      : { access: { path: absolute('/logging/access/path', path) } };
  const state = reload.state_dir === undefined ? {} : { state_dir: absolute('/reload/state_dir', reload.state_dir) };
  const caches = Object.entries(config.caches).map(([name, cache]) => {
    if (cache.disk === undefined) return [name, cache] as const;
    const path = absolute(`/caches/${segment(name)}/disk/path`, cache.disk.path);
    return [name, { ...cache, disk: { ...cache.disk, path } }] as const;
  });
  return {
    ...config,
    logging: { ...logging, ...access },
    reload: { ...reload, ...state },
    caches: Object.fromEntries(caches),
  };
}
