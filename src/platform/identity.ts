/** The name of the product, in the one place that a copy of this service changes. */
export const identity = {
  /** Name of the command, of the OpenTelemetry service and of its tracer. */
  name: "greeter",
  /** Name on pages. */
  title: "Greeter",
  /** Prefix of the environment variables. */
  variablePrefix: "GREETER_",
  /** Prefix of the metrics that have no name in OpenTelemetry's semantic conventions. */
  metricPrefix: "greeter_",
} as const;
