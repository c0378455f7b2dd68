package dashboards

// fleet is the page that tells whether everything is all right, since when it is not, what is slow, and what drifts.
func fleet() page {
	return page{
		uid: FleetUID, title: "Credential proxies: fleet",
		about: "All environments of one or several controllers: whether everything is all right, since when not, what is slow, what drifts.",
		variables: []variable{
			{name: "instance", label: "Controller", query: `label_values(up{job="credproxy"}, instance)`, several: true},
			{
				name: "name", label: "Environment", several: true,
				query: `label_values(credproxy_condition{instance=~"$instance"}, name)`,
			},
		},
		links: []link{{"Environment", environmentURL("${instance}", "${name}"), "One environment: traffic, refusals, latency, tokens, isolation"}},
		rows: []row{
			{"Is everything all right?", append(numbersOfTheFleet(), environmentsTable())},
			{"Since when not?", []panel{alertsTable(), readinessTimeline()}},
			{"What is slow?", slowPanels()},
			{"What drifts?", driftPanels()},
			{"Do tokens hold?", tokensOfTheFleet()},
		},
	}
}

// Selectors of what the variables choose.
const (
	ofInstance = `instance=~"$instance"`
	ofNames    = `instance=~"$instance", name=~"$name"`
)

func numbersOfTheFleet() []panel {
	count := func(title, about, expr string, limits []limit) panel {
		return panel{kind: number, title: title, about: about, unit: "short", width: 3, height: 4, queries: one(expr, ""), limits: limits}
	}
	up := func(title, about, expr string) panel {
		p := count(title, about, expr, nil)
		p.words = upOrDown()
		return p
	}
	return []panel{
		count("Ready", "Environments whose sidecar serves.",
			`sum(credproxy_condition{`+ofNames+`, type="Ready", status="True"})`, nil),
		count("Not ready", "Environments whose agents have no way out: controller status NAME says why.",
			`count(credproxy_condition{`+ofNames+`, type="Ready", status="True"} == 0) or vector(0)`, anyIsBad()),
		count("Not isolated", "Environments whose agents can go around their sidecars: the condition Isolated says how.",
			`count(credproxy_isolation_findings{`+ofNames+`, severity="breach"} > 0) or vector(0)`, anyIsBad()),
		count("Specs that cannot be used", "Files that are bad, and names that are declared twice: controller validate DIR names them.",
			`sum(credproxy_specs{`+ofInstance+`, state=~"invalid|duplicate"})`, anyIsAWarning()),
		count("Removals blocked", "Sidecars that would be removed, were that not taken for a mistake: controller plan says why.",
			`sum(credproxy_prune_blocked{`+ofInstance+`})`, anyIsAWarning()),
		up("Controllers", "Down while one of them does not answer Prometheus.", `min(up{job="credproxy", `+ofInstance+`})`),
		up("Engines", "Down while a controller cannot ask its engine.", `min(credproxy_docker_up{`+ofInstance+`})`),
		{
			kind: number, title: "Oldest complete scan", unit: "s", width: 3, height: 4, limits: seconds(120, 300),
			about:   "Time since all spec files were read. Nothing is removed while it grows.",
			queries: one(`time() - min(credproxy_last_scan_success_timestamp_seconds{`+ofInstance+`})`, ""),
		},
	}
}

// environmentsTable has a line for each environment.
func environmentsTable() panel {
	is := func(condition string) string {
		return `sum by (instance, name) (credproxy_condition{` + ofNames + `, type="` + condition + `", status="True"})`
	}
	rate := `sum by (instance, name) (rate(credproxy_requests_total{` + ofNames + `}[$__rate_interval]))`
	return panel{
		kind: rows, title: "Environments", unit: "short", width: 24, height: 9, toEnvironment: true,
		about: "What each is now. A name leads to its own page.",
		queries: []query{
			{is("Ready"), ""}, {is("Isolated"), ""}, {is("TokensResolved"), ""}, {is("Permitted"), ""}, {rate, ""},
			{`sum by (instance, name) (rate(credproxy_requests_total{` + ofNames + `, code=~"5xx|none"}[$__rate_interval])) / (` + rate + ` > 0)`, ""},
		},
		columns: []column{
			{field: "name", title: "Environment"}, {field: "instance", title: "Controller"},
			{field: "Value #A", title: "Ready", words: yesOrNo()}, {field: "Value #B", title: "Isolated", words: yesOrNo()},
			{field: "Value #C", title: "Tokens", words: yesOrNo()}, {field: "Value #D", title: "Permitted", words: yesOrNo()},
			{field: "Value #E", title: "Requests", unit: "reqps"},
			{field: "Value #F", title: "Errors", unit: "percentunit", limits: []limit{{.05, warning}, {.1, bad}}},
		},
	}
}

func alertsTable() panel {
	return panel{
		kind: rows, title: "Alerts", unit: "dateTimeFromNow", width: 12, height: 9, toEnvironment: true,
		about:   "What is to be told, or is about to be, and since when it holds; docs/alerts.md says what to do. It takes the rules of config/prometheus.",
		queries: one(`ALERTS_FOR_STATE{alertname=~"CredProxy.+", instance=~"$instance|", name=~"$name|credproxy|"} * 1000`, ""),
		columns: []column{
			{field: "alertname", title: "Alert"}, {field: "severity", title: "Severity", words: severities()},
			{field: "name", title: "Environment"}, {field: "instance", title: "Controller"}, {field: "Value", title: "Since", unit: "dateTimeFromNow"},
		},
	}
}

func severities() []word {
	return []word{{"critical", "critical", bad}, {"warning", "warning", warning}}
}

// readinessTimeline leaves out the environments that were ready all the time: there may be hundreds.
func readinessTimeline() panel {
	ready := `credproxy_condition{` + ofNames + `, type="Ready", status="True"}`
	return panel{
		kind: states, title: "Environments that were not ready", unit: "short", width: 12, height: 9, words: yesOrNo(), toEnvironment: true,
		about:   "When each was ready, of those that were not all of the time that is shown.",
		queries: one(ready+` and on (instance, name) min_over_time(`+ready+`[$__range] @ end()) == 0`, "{{name}} on {{instance}}"),
	}
}

func slowPanels() []panel {
	const every = `[$__rate_interval]`
	return []panel{
		{
			kind: curves, title: "From a new spec to ready", unit: "s", width: 8, height: 8, limits: seconds(3, 5),
			about: "How long new sidecars take, the middle one and the slowest of a hundred. What waited for a token or network counts.",
			queries: []query{
				{`histogram_quantile(0.5, sum by (le) (rate(credproxy_spec_to_ready_seconds_bucket{` + ofInstance + `}` + every + `)))`, "median"},
				{`histogram_quantile(0.99, sum by (le) (rate(credproxy_spec_to_ready_seconds_bucket{` + ofInstance + `}` + every + `)))`, "99th percentile"},
			},
		},
		{
			kind: curves, title: "Steps", unit: "s", width: 8, height: 8, limits: seconds(2.5, 10),
			about:   "The 95th percentile of each step that succeeded. drain takes as long as agents hold their streams open.",
			queries: one(`histogram_quantile(0.95, sum by (le, step) (rate(credproxy_step_duration_seconds_bucket{`+ofInstance+`, result="success"}`+every+`)))`, "{{step}}"),
		},
		{
			kind: bars, title: "Steps that failed", unit: "short", width: 8, height: 8, limits: anyIsAWarning(),
			about:   "Each is tried again with growing pauses: controller events says why it failed.",
			queries: one(`sum by (step) (increase(credproxy_step_duration_seconds_count{`+ofInstance+`, result="error"}`+every+`))`, "{{step}}"),
		},
		{
			kind: curves, title: "Looks at a spec", unit: "s", width: 8, height: 8, limits: seconds(5, 10),
			about:   "The 99th percentile of one look with its steps, by controller.",
			queries: one(`histogram_quantile(0.99, sum by (le, instance) (rate(controller_runtime_reconcile_time_seconds_bucket{`+ofInstance+`, controller="credproxy"}`+every+`)))`, "{{instance}}"),
		},
		{
			kind: curves, title: "Calls of the engine", unit: "s", width: 8, height: 8, limits: seconds(1, 5),
			about:   "The 95th percentile of each call. If all are slow, the engine or its host is busy.",
			queries: one(`histogram_quantile(0.95, sum by (le, operation) (rate(credproxy_docker_request_duration_seconds_bucket{`+ofInstance+`}`+every+`)))`, "{{operation}}"),
		},
		{
			kind: curves, title: "Queue and workers", unit: "short", width: 8, height: 8, limits: []limit{{50, warning}},
			about: "Names that wait, and workers that are busy of those that there are. A queue that stays long with all of them busy wants --workers.",
			queries: []query{
				{`sum by (instance) (workqueue_depth{` + ofInstance + `, name="credproxy"})`, "wait on {{instance}}"},
				{`sum by (instance) (controller_runtime_active_workers{` + ofInstance + `})`, "busy on {{instance}}"},
				{`sum by (instance) (controller_runtime_max_concurrent_reconciles{` + ofInstance + `})`, "workers of {{instance}}"},
			},
		},
		{
			kind: curves, title: "Time to the first byte", unit: "s", width: 24, height: 8, limits: seconds(10, 30), toEnvironment: true,
			about:   "The ten slowest environments by the 95th percentile. It is the upstream's time, and the sidecar's few microseconds.",
			queries: one(`topk(10, histogram_quantile(0.95, sum by (le, instance, name) (rate(credproxy_time_to_first_byte_seconds_bucket{`+ofNames+`}`+every+`))))`, "{{name}} on {{instance}}"),
		},
	}
}

func driftPanels() []panel {
	return []panel{
		{
			kind: bars, title: "Repairs", unit: "short", width: 12, height: 8, limits: anyIsAWarning(),
			about: "What others did to sidecars, by kind, and was put right; and sidecars that were removed since no spec declares them.",
			queries: []query{
				{`sum by (kind) (increase(credproxy_drift_total{` + ofInstance + `}[$__rate_interval]))`, "{{kind}}"},
				{`sum(increase(credproxy_orphans_removed_total{` + ofInstance + `}[$__rate_interval]))`, "removed"},
			},
		},
		{
			kind: curves, title: "Sidecars by state", unit: "short", width: 6, height: 8,
			about:   "running says that it serves; crashlooping is what the engine keeps starting again.",
			queries: one(`sum by (state) (credproxy_sidecars{`+ofInstance+`})`, "{{state}}"),
		},
		{
			kind: curves, title: "How changes are noticed", unit: "short", width: 6, height: 8, words: upOrDown(),
			about: "Down where only a periodic look finds changes: of files, or of what others do to sidecars.",
			queries: []query{
				{`min by (instance) (credproxy_watch_up{` + ofInstance + `})`, "files of {{instance}}"},
				{`min by (instance) (credproxy_event_stream_up{` + ofInstance + `})`, "engine of {{instance}}"},
			},
		},
	}
}

func tokensOfTheFleet() []panel {
	return []panel{
		{
			kind: rows, title: "Tokens that expire next", unit: "s", width: 8, height: 8, toEnvironment: true,
			about:   "The ten with the least time left, where their providers say so. They are renewed before the end.",
			queries: one(`bottomk(10, (credproxy_token_expiry_timestamp_seconds{`+ofNames+`} > 0) - time())`, ""),
			columns: []column{
				{field: "name", title: "Environment"}, {field: "route", title: "Route"}, {field: "instance", title: "Controller"},
				{field: "Value", title: "Left", unit: "s", limits: timeLeft()},
			},
		},
		{
			kind: bars, title: "Tokens that upstreams reject", unit: "short", width: 8, height: 8, limits: anyIsAWarning(), toEnvironment: true,
			about:   "Answers 401 to tokens that worked before. Rotate them at their source.",
			queries: one(`sum by (instance, name) (increase(credproxy_token_rejected_total{`+ofNames+`}[$__rate_interval]))`, "{{name}} on {{instance}}"),
		},
		{
			kind: bars, title: "Calls of token providers", unit: "short", width: 8, height: 8,
			about:   "By what they gave. Tokens that are there are kept until they expire while calls fail.",
			queries: one(`sum by (provider, result) (increase(credproxy_token_provider_requests_total{`+ofInstance+`}[$__rate_interval]))`, "{{provider}}: {{result}}"),
		},
	}
}
