/**
 * Converts paths of the config to the form in which rules see requests, and reports those that no request can match.
 * Cold.
 */
import type { PathsConfig } from '../config/schema.gen.ts';
import { encodePath, LITERAL, type PathProblem, PathReading, type PathRules, readPath, spelled } from '../http/path.ts';
import { deepEqual } from '../kit/deep-equal.ts';
import type { PlanScope } from './scope.ts';

/** A listener that the route serves, and its path rules. */
export interface PathReader {
  readonly name: string;
  readonly rules: PathRules;
}

export function planPaths(config: PathsConfig): PathRules {
  return {
    encodedSlash: config.encoded_slash,
    repeatedSlashes: config.repeated_slashes,
    parameters: config.parameters,
    controlCharacters: config.control_characters,
    rawUtf8: config.raw_utf8,
    send: config.send,
  };
}

const NEVER = 'is not in normal form and would never match';

/** Returns the path in the form of the requests it is meant for; reports a problem if that form is unclear. */
export function planRulePath(
  written: string,
  pointer: string,
  readers: readonly PathReader[],
  scope: PlanScope,
): string {
  const problem = textProblem(written);
  if (problem !== null) {
    scope.problem(pointer, ...problem);
    return written;
  }
  const text = encodePath(written);
  const [first = { name: '', rules: LITERAL }, ...others] = readers;
  const routed = routedForm(text, first, pointer, scope);
  if (routed === null) return written;
  for (const other of others) {
    if (deepEqual(other.rules, first.rules)) continue;
    const form = routedForm(text, other, pointer, scope);
    if (form !== null && form !== routed)
      scope.problem(
        pointer,
        `is ${routed} on listener ${first.name} and ${form} on ${other.name}, by their paths settings`,
        'make it two routes, or set paths alike',
      );
  }
  return routed;
}

/** Reports a text that no listener would accept. */
function textProblem(written: string): readonly [message: string, hint: string] | null {
  const mark = written.search(/[?#]/);
  if (mark >= 0 && written[mark] === '?')
    return [
      'has a query, which is no part of the path',
      `write ${written.slice(0, mark) || '/'} and match its parameters by query; %3F is a question mark in a path`,
    ];
  if (mark >= 0) return ['has a fragment, which no request has', `write ${written.replaceAll('#', '%23')}`];
  if (written.includes('\\'))
    return ['has a backslash, which no request has in its path', `write ${written.replaceAll('\\', '/')}`];
  if (/%(?![0-9a-f]{2})/i.test(written))
    return ['has a % that begins no encoding', `write ${written.replace(/%(?![0-9a-f]{2})/gi, '%25')}`];
  return null;
}

/** Returns the path as this listener's rules see it; null: a reported problem says that no request would match. */
function routedForm(text: string, { name, rules }: PathReader, pointer: string, scope: PlanScope): string | null {
  const reading = new PathReading();
  const problem = readPath(text, rules, reading);
  const where = name === '' ? '' : ` on listener ${name}`;
  if (problem !== '') {
    scope.problem(pointer, `would never match: requests for it are refused${where} (${problem})`, REFUSED[problem]);
    return null;
  }
  const { routed } = reading;
  if (routed === spelled(text)) return routed;
  const setting = settingFor(text, rules);
  scope.problem(pointer, NEVER, `write ${routed}${setting === '' ? '' : `, or set paths.${setting} to keep${where}`}`);
  return null;
}

const REFUSED: Readonly<Record<PathProblem, string>> = {
  '': '',
  malformed_path: 'write the path as requests have it',
  encoded_slash: 'set paths.encoded_slash to another value, or write a slash',
  repeated_slashes: 'set paths.repeated_slashes to another value, or write one slash',
  path_parameters: 'set paths.parameters to another value, or leave the parameter out',
  hidden_dot_segment: 'write the path without dot segments',
  slash_in_parameter: 'leave the parameter out',
  control_character: 'set paths.control_characters to keep',
  raw_utf8: 'percent-encode it',
};

/** The setting that makes rules see another path than the written one; '': none. */
function settingFor(text: string, rules: PathRules): string {
  if (rules.encodedSlash !== 'keep' && /%(?:2f|5c)/i.test(text)) return 'encoded_slash';
  if (rules.parameters !== 'keep' && /;|%3b/i.test(text)) return 'parameters';
  return rules.repeatedSlashes !== 'keep' && text.includes('//') ? 'repeated_slashes' : '';
}

// === patterns

/**
 * Reports a regular expression that certainly matches no path: no path contains the text that it requires outside
 * groups, alternatives and repetitions.
 */
export function checkPathPattern(
  source: string,
  pointer: string,
  readers: readonly PathReader[],
  scope: PlanScope,
): void {
  const runs = requiredRuns(source);
  if (/^\^[^/]/.test(runs[0] ?? '') && /^\^[A-Za-z0-9_%-]/.test(source)) {
    scope.problem(pointer, 'would never match: a path begins with a slash', `write ${source.replace('^', '^/')}`);
    return;
  }
  for (const run of runs) {
    const text = run.replace(/^\^/, '');
    const right = encodePath(text);
    if (right !== text) {
      const shown = source.replace(/[^\x21-\x7e]+/gu, encodePath);
      scope.problem(pointer, 'would never match: paths have such characters percent-encoded', `write ${shown}`);
      return;
    }
    if (/[?#]/.test(text)) {
      scope.problem(
        pointer,
        `would never match: ${text.includes('?') ? 'the query is no part of the path' : 'no request has a fragment'}`,
        text.includes('?') ? 'match its parameters by query' : undefined,
      );
      return;
    }
    for (const { name, rules } of readers) {
      const setting = settingFor(text, rules);
      const form = setting === '' ? spelled(text) : '';
      if (form === text) continue;
      const where = `paths.${setting} to keep on listener ${name}`;
      if (setting === '') scope.problem(pointer, NEVER, `write ${form} in place of ${text}`);
      else
        scope.problem(pointer, `would never match: rules do not see ${SEEN[setting]}`, `leave it out, or set ${where}`);
      return;
    }
  }
}

const SEEN: Readonly<Record<string, string>> = {
  encoded_slash: 'an encoded slash: it is a slash to them',
  parameters: 'parameters (";")',
  repeated_slashes: 'repeated slashes: they are one to them',
};

/** The runs of characters in every match of a regular expression; the first begins with "^" if it is anchored there. */
export function requiredRuns(source: string): string[] {
  const runs: string[] = [];
  let run = '';
  let depth = 0;
  const end = (): void => {
    if (run !== '') runs.push(run);
    run = '';
  };
  for (let i = 0; i < source.length; i++) {
    let character = source[i]!;
    let literal = depth === 0;
    if (character === '[') {
      for (i++; i < source.length && source[i] !== ']'; i++) if (source[i] === '\\') i++;
      literal = false;
    } else if (character === '\\') {
      character = source[++i] ?? '';
      literal &&= !/[A-Za-z0-9]/.test(character);
    } else if (character === '|' && depth === 0) return [];
    else if (character === '(' || character === ')') {
      depth += character === '(' ? 1 : -1;
      literal = false;
    } else if (character === '^') literal = i === 0;
    else if ('.$*+?{'.includes(character)) {
      if (character === '{') i = source.indexOf('}', i);
      literal = false;
      if (i < 0) return runs;
    }
    const next = source[i + 1];
    // A character that may repeat any number of times may also be absent.
    if (!literal || next === '*' || next === '?' || next === '{') {
      end();
      continue;
    }
    run += character;
  }
  end();
  return runs;
}
