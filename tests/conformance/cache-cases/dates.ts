/** The three forms of a date (RFC 9110 §5.6.7), and `{now-60 asctime}` in a text. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function rfc850(imf: string, day: number): string {
  const [, date, month, year = '', time] = imf.split(' ');
  return `${DAYS[day]}, ${date}-${month}-${year.slice(2)} ${time} GMT`;
}

function asctime(imf: string): string {
  const [day = '', date = '', month, year, time] = imf.split(' ');
  return `${day.slice(0, 3)} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`;
}

/** Every date in the text, as seen at `now` (milliseconds). */
export function withDates(text: string, now: number): string {
  return text.replaceAll(/\{now(?:([+-]\d+))?(?: (rfc850|asctime))?\}/g, (_, seconds: string | undefined, form) => {
    const date = new Date(now + 1000 * Number(seconds ?? 0));
    const imf = date.toUTCString();
    if (form === 'rfc850') return rfc850(imf, date.getUTCDay());
    return form === 'asctime' ? asctime(imf) : imf;
  });
}
