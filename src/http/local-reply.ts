/**
 * A response that the gateway generates itself, prepared when the config is bound. Hot after construction.
 *
 * The `respond` and `redirect` actions, policies' refusals and error bodies use it. The codec adds Content-Length, Date and
 * the fields for the connection. There is no Via.
 */
import { FieldList, type FieldPair } from './field-list.ts';
import { reasonPhrase } from './status.ts';

export class LocalReply {
  readonly status: number;
  readonly reason: string;
  readonly fields: FieldList;
  /** The body; each character is one byte. */
  readonly body: string;
  /** Length of the content in bytes, as in cached-reply.ts. */
  readonly length: number;
  /** As in cached-reply.ts. */
  memo: unknown = null;

  /** `body`: text is sent as UTF-8. */
  constructor(status: number, fields: readonly FieldPair[], body: string | Uint8Array) {
    this.status = status;
    this.reason = reasonPhrase(status);
    // What follows it would be read as another field.
    this.fields = FieldList.of(fields.some(hasLineFeed) ? fields.map(spoilt) : fields);
    this.body = (typeof body === 'string' ? Buffer.from(body, 'utf8') : Buffer.from(body)).toString('latin1');
    this.length = this.body.length;
  }

  /** All fields. */
  get allFields(): FieldList {
    return this.fields;
  }

  /** The body as bytes. */
  get bodyBytes(): Buffer {
    return Buffer.from(this.body, 'latin1');
  }

  /** Returns a copy with another head. */
  under(status: number, reason: string, fields: FieldList, length = this.length): LocalReply {
    return Object.assign(new LocalReply(status, [], ''), { reason, fields, body: this.body, length });
  }

  /** Returns a copy with one more field. */
  with(name: string, value: string): LocalReply {
    return this.under(this.status, this.reason, this.fields.concat(FieldList.of([[name, value]])));
  }
}

function hasLineFeed([name, value]: FieldPair): boolean {
  return name.includes('\n') || value.includes('\n');
}

/**
 * A line feed would end the field, and the list would have another field behind it. No check of fields lets a carriage
 * return pass (checked-edits.ts).
 */
function spoilt([name, value]: FieldPair): FieldPair {
  return [name.replaceAll('\n', '\r'), value.replaceAll('\n', '\r')];
}

/** A small problem body (RFC 9457) that repeats the status only. */
export function problemReply(status: number, fields: readonly FieldPair[] = []): LocalReply {
  const title = reasonPhrase(status);
  const body = `${JSON.stringify({ type: 'about:blank', title, status })}\n`;
  return new LocalReply(status, [['Content-Type', 'application/problem+json'], ...fields], body);
}
