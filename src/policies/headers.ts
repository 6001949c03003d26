/** Sets, adds and removes header fields of requests before they are forwarded, and of responses. Hot after bind. */
import type { Fields } from '../http/fields.ts';
import { identityAsFields, OWN_REQUEST_FIELDS } from '../http/identity.ts';
import { knownId } from '../http/known.ts';
import type { FieldEdits, PolicyPlan } from '../plan/types.ts';
import type { Hooks, Policy } from './policy.ts';

export const headers: Policy<Extract<PolicyPlan, { type: 'headers' }>> = {
  bind: ({ request, response }) => {
    const hooks: Hooks = {};
    if (!isEmpty(request)) {
      const edit = editor(request);
      const saysPrefix = edits(request, (name) => name === 'x-forwarded-prefix');
      hooks.forward = edits(request, (name) => OWN_REQUEST_FIELDS.has(name))
        ? (x) => {
            identityAsFields(x);
            if (saysPrefix) x.prefixEdited = true;
            edit(x.fields);
          }
        : (x) => edit(x.fields);
    }
    if (!isEmpty(response)) {
      const edit = editor(response);
      hooks.response = (x) => {
        if (x.response !== null) edit(x.response.fields);
      };
      hooks.refusal = edit;
    }
    return hooks;
  },
  // The edits themselves show the effect on the request.
  why: ({ response }) => (isEmpty(response) ? '' : `of the response: ${said(response)}`),
};

/** Lists names only, because values may be secrets. */
function said({ set, add, remove }: FieldEdits): string {
  const nameOf = ([name]: readonly [string, string]): string => name;
  return Object.entries({ removes: remove, sets: set.map(nameOf), adds: add.map(nameOf) })
    .filter(([, names]) => names.length > 0)
    .map(([word, names]) => `${word} ${names.join(', ')}`)
    .join('; ');
}

/** Reports whether the edits affect a field whose lower-case name passes the test. */
function edits({ set, add, remove }: FieldEdits, wanted: (name: string) => boolean): boolean {
  const isWanted = (name: string): boolean => wanted(name.toLowerCase());
  return remove.some(isWanted) || [...set, ...add].some(([name]) => isWanted(name));
}

function isEmpty(edits: FieldEdits): boolean {
  return edits.set.length === 0 && edits.add.length === 0 && edits.remove.length === 0;
}

/** Returns the function that removes first, then sets, then adds. */
function editor({ set, add, remove }: FieldEdits): (fields: Fields) => void {
  // Of a name that is set twice, the last value counts.
  const last = new Map(set.map((pair) => [pair[0].toLowerCase(), pair]));
  // Names to remove are in lower case.
  const unwanted = [...remove, ...last.keys()];
  const added = [...last.values(), ...add];
  const lines = added.map(([name, value]) => `${name}: ${value}\r\n`);
  const ids = added.map(([name]) => knownId(name.toLowerCase()));
  return (fields) => {
    for (let i = 0; i < unwanted.length; i++) fields.remove(unwanted[i]!);
    for (let i = 0; i < lines.length; i++) fields.addLine(lines[i]!, ids[i]);
  };
}
