/** Builds Prometheus text: families of samples, one line each. Cold. */
import { BOUNDS, type Histogram } from './histogram.ts';

type Labels = Readonly<Record<string, string | number>>;

export class Page {
  readonly lines: string[] = [];

  family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  sample(name: string, labels: Labels, value: number): void {
    const text = Object.entries(labels)
      .map(
        ([label, one]) =>
          `${label}="${String(one).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
      )
      .join(',');
    this.lines.push(`${name}${text === '' ? '' : `{${text}}`} ${value}`);
  }

  histogram(name: string, labels: Labels, histogram: Histogram): void {
    let sum = 0;
    BOUNDS.forEach((bound, i) => {
      sum += histogram.counts[i]!;
      this.sample(`${name}_bucket`, { ...labels, le: bound / 1000 }, sum);
    });
    sum += histogram.counts[BOUNDS.length]!;
    this.sample(`${name}_bucket`, { ...labels, le: '+Inf' }, sum);
    this.sample(`${name}_sum`, labels, histogram.sum / 1000);
    this.sample(`${name}_count`, labels, sum);
  }
}
