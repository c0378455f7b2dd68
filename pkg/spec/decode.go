package spec

// Options are what the operator decides about specs.
type Options struct {
	// Hostname and Port are the defaults of those fields; zero values mean DefaultHostname and DefaultPort.
	Hostname string
	Port     int32
	// AllowCustomImages permits spec.image.
	AllowCustomImages bool
}

// Decoded is all that one file says.
type Decoded struct {
	// Objects are the documents without a problem, defaults set, in order.
	Objects []DecodedObject
	// Problems are everything wrong with the file, in order of lines.
	Problems []Problem
	// Names are the names that the file can be read to hold, good objects and bad ones alike.
	Names []string
	// Parsed is false when some part of the file is not YAML or JSON at all, so that it might hold other names.
	Parsed bool
}

// DecodedObject is one good document.
type DecodedObject struct {
	CredProxy *CredProxy
	// Line is where the document begins; 1 is the first.
	Line int
}

// Decode reads every document of a file strictly. The file name is for problems only.
func Decode(file string, data []byte, opts Options) Decoded { panic("not yet") }
