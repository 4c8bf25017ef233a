import {
  type Alarm,
  ComparisonOperator,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { metricDimension, metricNamespace } from '../src/format/metrics.ts';

/** A metric that the functions of `whose` count. */
export function jobMetric(
  scope: Construct,
  { metricName, whose, ...options }: MetricOptions & { readonly metricName: string; readonly whose: string },
): Metric {
  return new Metric({
    namespace: metricNamespace,
    metricName,
    dimensionsMap: { [metricDimension]: whose },
    statistic: Stats.SUM,
    ...options,
  }).attachTo(scope);
}

/** An alarm that rings when anything was counted. */
export function jobAlarm(
  scope: Construct,
  id: string,
  { metric, alarmDescription }: { readonly metric: Metric; readonly alarmDescription: string },
): Alarm {
  return metric.createAlarm(scope, id, {
    alarmDescription,
    threshold: 1,
    evaluationPeriods: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    // Nothing is counted while nothing happens.
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
}
