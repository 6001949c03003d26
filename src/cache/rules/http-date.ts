/**
 * Parses an HTTP-date in its three forms (RFC 9110 §5.6.7). Hot.
 *
 *     Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate
 *     Sunday, 06-Nov-94 08:49:37 GMT     RFC 850
 *     Sun Nov  6 08:49:37 1994           asctime
 *
 * Letters match in any case (RFC 9111 §4.2), everything else byte by byte: a zone other than GMT, a day that its month
 * does not have, or an extra space makes the date invalid. The day name need not match the date: an origin with a wrong
 * day name has still given the time.
 */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const LONG_DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const LONGEST = 'Wednesday, 06-Nov-94 08:49:37 GMT'.length;
const FIFTY_YEARS = 50;

/** Wall-clock milliseconds, or NaN. `now`, also in wall-clock ms, resolves years of two digits. */
export function parseHttpDate(text: string, now: number): number {
  if (text.length > LONGEST) return Number.NaN;
  const lower = text.toLowerCase();
  const comma = lower.indexOf(',');
  if (comma === 3) return imfFixdate(lower);
  return comma < 0 ? asctime(lower) : rfc850(lower, comma, now);
}

function imfFixdate(text: string): number {
  if (text.length !== 29 || !DAYS.includes(text.slice(0, 3)) || !text.endsWith(' gmt')) return Number.NaN;
  if (text[4] !== ' ' || text[7] !== ' ' || text[11] !== ' ' || text[16] !== ' ') return Number.NaN;
  return instant(digits(text, 12, 4), text.slice(8, 11), digits(text, 5, 2), text, 17);
}

function rfc850(text: string, comma: number, now: number): number {
  if (text.length !== comma + 24 || !LONG_DAYS.includes(text.slice(0, comma)) || !text.endsWith(' gmt')) {
    return Number.NaN;
  }
  const at = comma + 2;
  if (text[at - 1] !== ' ' || text[at + 2] !== '-' || text[at + 6] !== '-' || text[at + 9] !== ' ') return Number.NaN;
  const twoDigits = digits(text, at + 7, 2);
  if (twoDigits < 0) return Number.NaN;
  const thisYear = new Date(now).getUTCFullYear();
  const century = thisYear - (thisYear % 100);
  const read = (year: number): number => instant(year, text.slice(at + 3, at + 6), digits(text, at, 2), text, at + 10);
  const limit = new Date(now).setUTCFullYear(thisYear + FIFTY_YEARS);
  // A year more than fifty years ahead means the most recent past year with these digits (§5.6.7); "05" in 2098 is
  // 2105.
  for (const year of [century + 100 + twoDigits, century + twoDigits]) {
    const time = read(year);
    if (time <= limit) return time;
  }
  return read(century - 100 + twoDigits);
}

function asctime(text: string): number {
  if (text.length !== 24 || !DAYS.includes(text.slice(0, 3))) return Number.NaN;
  if (text[3] !== ' ' || text[7] !== ' ' || text[10] !== ' ' || text[19] !== ' ') return Number.NaN;
  const day = text[8] === ' ' ? digits(text, 9, 1) : digits(text, 8, 2);
  return instant(digits(text, 20, 4), text.slice(4, 7), day, text, 11);
}

/** `at`: the place of "08:49:37". */
function instant(year: number, month: string, day: number, text: string, at: number): number {
  const monthIndex = MONTHS.indexOf(month);
  const hour = digits(text, at, 2);
  const minute = digits(text, at + 3, 2);
  const second = digits(text, at + 6, 2);
  if (year < 0 || monthIndex < 0 || day < 1 || hour < 0 || minute < 0 || second < 0) return Number.NaN;
  if (text[at + 2] !== ':' || text[at + 5] !== ':') return Number.NaN;
  if (hour > 23 || minute > 59 || second > 60 || day > daysIn(year, monthIndex)) return Number.NaN;
  // A leap second counts as the second before it: the nearest time that is not later (RFC 9111 §4.2).
  const time = Date.UTC(year, monthIndex, day, hour, minute, Math.min(second, 59));
  // Date.UTC maps years below 100 to 1900 and later.
  return year < 100 ? new Date(time).setUTCFullYear(year, monthIndex, day) : time;
}

function daysIn(year: number, month: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    // Also at the end of the text: there the digit is NaN.
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}
