/** Sets, adds and removes header fields of requests before they are forwarded, and of responses. Hot after bind. */
import type { Fields } from '../http/fields.ts';
import { identityAsFields, OWN_REQUEST_FIELDS } from '../http/identity.ts';
import type { FieldEdits, PolicyPlan } from '../plan/types.ts';
import type { Hooks, Policy } from './policy.ts';

export const headers: Policy<Extract<PolicyPlan, { type: 'headers' }>> = {
  bind: ({ request, response }) => {
    const hooks: Hooks = {};
    if (!isEmpty(request)) {
      const saysPrefix = edits(request, (name) => name === 'x-forwarded-prefix');
      hooks.forward = edits(request, (name) => OWN_REQUEST_FIELDS.has(name))
        ? (x) => {
            identityAsFields(x);
            if (saysPrefix) x.prefixEdited = true;
            edit(x.fields, request);
          }
        : (x) => edit(x.fields, request);
    }
    if (!isEmpty(response)) {
      hooks.response = (x) => {
        if (x.response !== null) edit(x.response.fields, response);
      };
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

/** Removes first, then sets, then adds. Names to remove are in lower case. */
function edit(fields: Fields, { set, add, remove }: FieldEdits): void {
  for (let i = 0; i < remove.length; i++) fields.remove(remove[i]!);
  for (let i = 0; i < set.length; i++) fields.set(set[i]![0], set[i]![1]);
  for (let i = 0; i < add.length; i++) fields.add(add[i]![0], add[i]![1]);
}
