import { metricDimension, metricNamespace } from '../format/metrics.ts';
import type { Clock, Log } from '../ports.ts';

/**
 * A log whose lines are metrics too where their field `metrics` counts something: CloudWatch reads the numbers out of the line.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * @param whose the stack and the construct that the metrics belong to
 */
export function countingLog(log: Log, whose: string, clock: Pick<Clock, 'now'>): Log {
  return (level, message, { metrics, ...fields } = {}) => {
    const counts = typeof metrics === 'object' && metrics !== null ? Object.entries(metrics) : [];
    const counted = counts.filter(([, count]) => count !== 0);
    if (counted.length === 0) return log(level, message, fields);
    const directive = {
      Namespace: metricNamespace,
      Dimensions: [[metricDimension]],
      Metrics: counted.map(([Name]) => ({ Name, Unit: 'Count' })),
    };
    log(level, message, {
      ...fields,
      ...Object.fromEntries(counted),
      [metricDimension]: whose,
      _aws: { Timestamp: clock.now(), CloudWatchMetrics: [directive] },
    });
  };
}
