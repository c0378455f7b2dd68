package dashboards

// environment is the page of one environment.
func environment() page {
	return page{
		uid: EnvironmentUID, title: "Credential proxies: environment",
		about: "One environment: traffic by route, refusals, latency, how long tokens last, isolation, and the steps of its controller.",
		variables: []variable{
			{name: "instance", label: "Controller", query: `label_values(credproxy_condition, instance)`},
			{name: "name", label: "Environment", query: `label_values(credproxy_condition{instance="$instance"}, name)`},
		},
		links: []link{{"Fleet", fleetURL("${instance}"), "All environments"}},
		rows: []row{
			{"Is it all right?", append(numbersOfOne(), conditionsTimeline())},
			{"Traffic", trafficPanels()},
			{"Refusals", refusalPanels()},
			{"Latency", latencyPanels()},
			{"Tokens", tokenPanels()},
			{"Isolation", isolationPanels()},
			{"Steps of its controller", stepPanels()},
		},
	}
}

// ofOne is the selector of the environment.
const ofOne = `instance="$instance", name="$name"`

func numbersOfOne() []panel {
	condition := func(title, about, kind string) panel {
		return panel{
			kind: number, title: title, about: about, unit: "short", width: 3, height: 4, words: yesOrNo(),
			queries: one(`credproxy_condition{`+ofOne+`, type="`+kind+`", status="True"}`, ""),
		}
	}
	return []panel{
		condition("Ready", "Whether the sidecar serves: controller status NAME says why not.", "Ready"),
		condition("Isolated", "Whether the agent can reach nothing but through its sidecar.", "Isolated"),
		condition("Tokens", "Whether every token that the spec names is there and taken.", "TokensResolved"),
		condition("Permitted", "Whether the policy permits all that the spec declares.", "Permitted"),
		{
			kind: number, title: "Requests", unit: "reqps", width: 3, height: 4,
			about:   "Requests that ended, in a second, on all routes.",
			queries: one(`sum(rate(credproxy_requests_total{`+ofOne+`}[$__rate_interval]))`, ""),
		},
		{
			kind: number, title: "Errors", unit: "percentunit", width: 3, height: 4, limits: []limit{{.05, warning}, {.1, bad}},
			about: "The share of requests that the upstream or the sidecar answered with 5xx, or that the client left before an answer.",
			queries: one(`sum(rate(credproxy_requests_total{`+ofOne+`, code=~"5xx|none"}[$__rate_interval])) / (sum(rate(credproxy_requests_total{`+
				ofOne+`}[$__rate_interval])) > 0) or vector(0)`, ""),
		},
		{
			kind: number, title: "In flight", unit: "short", width: 3, height: 4,
			about:   "Requests that are forwarded now, on all routes.",
			queries: one(`sum(credproxy_requests_in_flight{`+ofOne+`})`, ""),
		},
		{
			kind: number, title: "Breaches", unit: "short", width: 3, height: 4, limits: anyIsBad(),
			about:   "Ways around the sidecar: controller status NAME -o yaml lists them, and how to close them.",
			queries: one(`credproxy_isolation_findings{`+ofOne+`, severity="breach"}`, ""),
		},
	}
}

func conditionsTimeline() panel {
	return panel{
		kind: states, title: "Conditions", unit: "short", width: 24, height: 6, words: yesOrNo(),
		about:   "When each condition was True. What is neither True nor False is not known, and shown as no.",
		queries: one(`credproxy_condition{`+ofOne+`, status="True"}`, "{{type}}"),
	}
}

func trafficPanels() []panel {
	return []panel{
		{
			kind: curves, title: "Requests by route", unit: "reqps", width: 8, height: 8,
			about:   "Requests that ended. Those without a route were taken by none.",
			queries: one(`sum by (route) (rate(credproxy_requests_total{`+ofOne+`}[$__rate_interval]))`, "{{route}}"),
		},
		{
			kind: curves, title: "Requests by answer", unit: "reqps", width: 8, height: 8,
			about:   "By the class of the status that was sent; none is for clients that left before.",
			queries: one(`sum by (code) (rate(credproxy_requests_total{`+ofOne+`}[$__rate_interval]))`, "{{code}}"),
		},
		{
			kind: curves, title: "Errors by route", unit: "percentunit", width: 8, height: 8, limits: []limit{{.05, warning}, {.1, bad}},
			about: "The share of 5xx and of clients that left before an answer. The alert is at a tenth.",
			queries: one(`sum by (route) (rate(credproxy_requests_total{`+ofOne+`, code=~"5xx|none"}[$__rate_interval])) / (sum by (route) (rate(credproxy_requests_total{`+
				ofOne+`}[$__rate_interval])) > 0)`, "{{route}}"),
		},
		{
			kind: curves, title: "Bytes", unit: "Bps", width: 12, height: 8,
			about: "Of bodies and through WebSockets: from the agent, and to it.",
			queries: []query{
				{`sum by (route) (rate(credproxy_request_bytes_total{` + ofOne + `}[$__rate_interval]))`, "from the agent, {{route}}"},
				{`sum by (route) (rate(credproxy_response_bytes_total{` + ofOne + `}[$__rate_interval]))`, "to the agent, {{route}}"},
			},
		},
		{
			kind: curves, title: "In flight", unit: "short", width: 6, height: 8,
			about:   "Requests that are forwarded at a time. A route's concurrentRequests bounds them.",
			queries: one(`sum by (route) (credproxy_requests_in_flight{`+ofOne+`})`, "{{route}}"),
		},
		{
			kind: curves, title: "Credentials added", unit: "reqps", width: 6, height: 8,
			about:   "Requests to which the route's credential was added. A route without auth has none.",
			queries: one(`sum by (route) (rate(credproxy_injections_total{`+ofOne+`}[$__rate_interval]))`, "{{route}}"),
		},
	}
}

func refusalPanels() []panel {
	return []panel{
		{
			kind: curves, title: "Refusals by reason", unit: "reqps", width: 12, height: 8, limits: []limit{{.1, warning}},
			about:   "What the sidecar answered itself, by route and by the code of the error. docs/metrics.md lists the codes; the sidecar's log has the paths.",
			queries: one(`sum by (route, reason) (rate(credproxy_refusals_total{`+ofOne+`}[$__rate_interval]))`, "{{reason}} {{route}}"),
		},
		{
			kind: curves, title: "Would be refused", unit: "reqps", width: 12, height: 8, limits: []limit{{.1, warning}},
			about:   "Requests that pass only since the route's mode is Warn.",
			queries: one(`sum by (route) (rate(credproxy_policy_warnings_total{`+ofOne+`}[$__rate_interval]))`, "{{route}}"),
		},
	}
}

func latencyPanels() []panel {
	of := func(quantile, metric string) string {
		return `histogram_quantile(` + quantile + `, sum by (le, route) (rate(` + metric + `_bucket{` + ofOne + `}[$__rate_interval])))`
	}
	return []panel{
		{
			kind: curves, title: "Time to the first byte", unit: "s", width: 12, height: 8, limits: seconds(10, 30),
			about: "From the head of a request to that of its answer: the median, and the slowest of twenty.",
			queries: []query{
				{of("0.5", "credproxy_time_to_first_byte_seconds"), "median, {{route}}"},
				{of("0.95", "credproxy_time_to_first_byte_seconds"), "95th percentile, {{route}}"},
			},
		},
		{
			kind: curves, title: "Time to the end", unit: "s", width: 12, height: 8, limits: seconds(60, 300),
			about: "Until the answer has ended, the whole of a stream: the median, and the slowest of twenty.",
			queries: []query{
				{of("0.5", "credproxy_request_duration_seconds"), "median, {{route}}"},
				{of("0.95", "credproxy_request_duration_seconds"), "95th percentile, {{route}}"},
			},
		},
	}
}

func tokenPanels() []panel {
	return []panel{
		{
			kind: curves, title: "Time until tokens expire", unit: "s", width: 12, height: 8, limits: timeLeft(),
			about:   "Where the provider says so. It falls, and jumps up when the token is renewed; below zero the sidecar has one that has expired.",
			queries: one(`(credproxy_token_expiry_timestamp_seconds{`+ofOne+`} > 0) - time()`, "{{route}}"),
		},
		{
			kind: bars, title: "Rejected by the upstream", unit: "short", width: 12, height: 8, limits: anyIsAWarning(),
			about:   "Answers 401 to a token that worked before.",
			queries: one(`sum by (route) (increase(credproxy_token_rejected_total{`+ofOne+`}[$__rate_interval]))`, "{{route}}"),
		},
	}
}

func isolationPanels() []panel {
	return []panel{
		{
			kind: curves, title: "Findings", unit: "short", width: 12, height: 8, limits: anyIsBad(),
			about:   "A breach is a way around the sidecar; a warning is something weaker.",
			queries: one(`credproxy_isolation_findings{`+ofOne+`}`, "{{severity}}"),
		},
		{
			kind: curves, title: "Claims of its name", unit: "short", width: 12, height: 8, limits: anyIsBad(),
			about:   "1 while another container answers to a name of the sidecar: agents may talk to that one.",
			queries: one(`credproxy_alias_conflict{`+ofOne+`}`, "claimed"),
		},
	}
}

// stepPanels are of all environments of the controller: steps have no names of specs.
func stepPanels() []panel {
	const ofController = `instance="$instance"`
	return []panel{
		{
			kind: curves, title: "Steps", unit: "s", width: 12, height: 8, limits: seconds(2.5, 10),
			about:   "The 95th percentile of each step, for all environments of the controller.",
			queries: one(`histogram_quantile(0.95, sum by (le, step) (rate(credproxy_step_duration_seconds_bucket{`+ofController+`, result="success"}[$__rate_interval])))`, "{{step}}"),
		},
		{
			kind: bars, title: "Steps taken", unit: "short", width: 12, height: 8,
			about:   "How many, with what came of them, for all environments of the controller. controller events NAME has those of this one.",
			queries: one(`sum by (step, result) (increase(credproxy_step_duration_seconds_count{`+ofController+`}[$__rate_interval])) > 0`, "{{step}}: {{result}}"),
		},
	}
}
