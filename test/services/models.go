package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// answer is what the models say.
const answer = "pong"

// patient is the model whose stream goes on only when its reader has asked for the list of models, which shows that the first events
// were not held back.
const patient = "patient"

// turn hands a stream on: who lists the models lets one stream of the patient model pass.
type turn chan struct{}

// list answers with no models, and lets a stream go on.
func (t turn) list(w http.ResponseWriter, _ *http.Request) {
	select {
	case t <- struct{}{}:
	default:
	}
	writeJSON(w, map[string]any{"object": "list", "data": []any{}, "has_more": false, "first_id": nil, "last_id": nil})
}

// wait reports whether the reader came.
func (t turn) wait(r *http.Request) bool {
	select {
	case <-t:
		return true
	case <-r.Context().Done():
	case <-time.After(patience):
	}
	return false
}

// patience is how long a stream waits for its reader.
const patience = 30 * time.Second

// asked is what the services read of a request.
type asked struct {
	Model  string
	Stream bool
}

// anthropic is the part of Anthropic's API that a message needs, at once or as a stream of events.
func anthropic() http.Handler {
	mux, turn := http.NewServeMux(), make(turn, 1)
	mux.HandleFunc("GET /v1/models", turn.list)
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		var a asked
		if json.NewDecoder(r.Body).Decode(&a) != nil {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		if a.Stream {
			streamMessage(w, func() bool { return a.Model != patient || turn.wait(r) })
			return
		}
		writeJSON(w, message([]any{map[string]any{"type": "text", "text": answer}}, "end_turn"))
	})
	return mux
}

func message(content []any, stop any) map[string]any {
	return map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "model": "any", "content": content, "stop_reason": stop,
		"stop_sequence": nil, "usage": map[string]any{"input_tokens": 1, "output_tokens": 1},
	}
}

func streamMessage(w http.ResponseWriter, goOn func() bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(event string, fields map[string]any) {
		fields["type"] = event
		data, _ := json.Marshal(fields)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", event, data)
		_ = http.NewResponseController(w).Flush()
	}
	text := func(text string) {
		send("content_block_delta", map[string]any{"index": 0, "delta": map[string]any{"type": "text_delta", "text": text}})
	}
	send("message_start", map[string]any{"message": message([]any{}, nil)})
	send("content_block_start", map[string]any{"index": 0, "content_block": map[string]any{"type": "text", "text": ""}})
	text(answer[:2])
	if !goOn() {
		return
	}
	text(answer[2:])
	send("content_block_stop", map[string]any{"index": 0})
	send("message_delta", map[string]any{"delta": map[string]any{"stop_reason": "end_turn", "stop_sequence": nil}, "usage": map[string]any{"output_tokens": 1}})
	send("message_stop", map[string]any{})
}

// openai is the part of OpenAI's API that a chat needs, at once or as a stream of events.
func openai() http.Handler {
	mux, turn := http.NewServeMux(), make(turn, 1)
	mux.HandleFunc("GET /v1/models", turn.list)
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var a asked
		if json.NewDecoder(r.Body).Decode(&a) != nil {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		if a.Stream {
			streamChat(w, func() bool { return a.Model != patient || turn.wait(r) })
			return
		}
		writeJSON(w, map[string]any{"id": "chat-1", "object": "chat.completion", "created": 1, "model": "any", "choices": []any{
			map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": answer}},
		}})
	})
	return mux
}

func streamChat(w http.ResponseWriter, goOn func() bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	text := func(text string, finish any) {
		data, _ := json.Marshal(map[string]any{"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "any", "choices": []any{
			map[string]any{"index": 0, "finish_reason": finish, "delta": map[string]any{"content": text}},
		}})
		fmt.Fprintf(w, "data: %s\n\n", data)
		_ = http.NewResponseController(w).Flush()
	}
	text(answer[:2], nil)
	if !goOn() {
		return
	}
	text(answer[2:], "stop")
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
