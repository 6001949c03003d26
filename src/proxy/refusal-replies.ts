/** The replies to requests that could not be read, with the edits of a listener's policies. Hot: each is made once. */
import type { LocalReply } from '../http/local-reply.ts';
import { headOfReply, replyUnder } from '../http/reply-head.ts';
import type { BoundHooks } from '../policies/policy.ts';

export class RefusalReplies {
  readonly #edits: BoundHooks['refusal'];
  readonly #made: { readonly plain: LocalReply; readonly edited: LocalReply }[] = [];

  constructor(edits: BoundHooks['refusal']) {
    this.#edits = edits;
  }

  /** `reply`: one of few. */
  of(reply: LocalReply): LocalReply {
    if (this.#edits.length === 0) return reply;
    const known = this.#made.find(({ plain }) => plain === reply);
    if (known !== undefined) return known.edited;
    const edited = this.#edit(reply);
    this.#made.push({ plain: reply, edited });
    return edited;
  }

  #edit(reply: LocalReply): LocalReply {
    const head = headOfReply(reply, 'GET');
    for (const edit of this.#edits) edit(head.fields);
    return replyUnder(reply, head, 'GET');
  }
}
