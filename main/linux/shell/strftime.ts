// strftime(3) in UTC, for printf's %(…)T and prompts.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** Formats an instant in ms. Differs: the zone is always UTC. */
export function strftime(format: string, instantMs: number): string {
  const date = new Date(Math.floor(instantMs));
  return format.replace(/%[-_0^]?([a-zA-Z%+])/g, (whole, letter: string) => field(date, letter) ?? whole);
}

function field(date: Date, letter: string): string | undefined {
  const two = (value: number): string => String(value).padStart(2, '0');
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const day = date.getUTCDate();
  const hours = date.getUTCHours();
  const time = `${two(hours)}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const dayOfYear = Math.floor((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
  switch (letter) {
    case 'Y':
      return String(year);
    case 'C':
      return two(Math.floor(year / 100));
    case 'y':
      return two(year % 100);
    case 'm':
      return two(month + 1);
    case 'd':
      return two(day);
    case 'e':
      return String(day).padStart(2);
    case 'H':
      return two(hours);
    case 'I':
      return two(hours % 12 || 12);
    case 'k':
      return String(hours).padStart(2);
    case 'l':
      return String(hours % 12 || 12).padStart(2);
    case 'M':
      return two(date.getUTCMinutes());
    case 'S':
      return two(date.getUTCSeconds());
    case 'p':
      return hours < 12 ? 'AM' : 'PM';
    case 'P':
      return hours < 12 ? 'am' : 'pm';
    case 'a':
      return DAYS[date.getUTCDay()]!.slice(0, 3);
    case 'A':
      return DAYS[date.getUTCDay()];
    case 'b':
    case 'h':
      return MONTHS[month]!.slice(0, 3);
    case 'B':
      return MONTHS[month];
    case 'F':
      return `${year}-${two(month + 1)}-${two(day)}`;
    case 'D':
    case 'x':
      return `${two(month + 1)}/${two(day)}/${two(year % 100)}`;
    case 'T':
    case 'X':
      return time;
    case 'R':
      return time.slice(0, 5);
    case 'r':
      return `${two(hours % 12 || 12)}:${time.slice(3)} ${hours < 12 ? 'AM' : 'PM'}`;
    case 'c':
      return `${DAYS[date.getUTCDay()]!.slice(0, 3)} ${MONTHS[month]!.slice(0, 3)} ${String(day).padStart(2)} ${time} ${year}`;
    case 's':
      return String(Math.floor(date.getTime() / 1000));
    case 'j':
      return String(dayOfYear).padStart(3, '0');
    case 'u':
      return String(date.getUTCDay() || 7);
    case 'w':
      return String(date.getUTCDay());
    case 'U':
      return two(Math.floor((dayOfYear + 6 - date.getUTCDay()) / 7));
    case 'W':
      return two(Math.floor((dayOfYear + 6 - ((date.getUTCDay() + 6) % 7)) / 7));
    case 'Z':
      return 'UTC';
    case 'z':
      return '+0000';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '%':
      return '%';
    default:
      return undefined;
  }
}
