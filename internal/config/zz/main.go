package main
import ("fmt";"os";"strings";"time";"errors"
"github.com/goccy/go-yaml/parser";"github.com/goccy/go-yaml/ast";"github.com/goccy/go-yaml/lexer"
yaml "github.com/goccy/go-yaml")
func dump(n ast.Node, ind int){
 if n==nil {fmt.Println(strings.Repeat(" ",ind),"NIL");return}
 t:=n.GetToken()
 p:="notok"
 if t!=nil {p=fmt.Sprintf("%d:%d %q",t.Position.Line,t.Position.Column,t.Value)}
 fmt.Printf("%s%T %s\n",strings.Repeat(" ",ind),n,p)
 switch n:=n.(type){
 case *ast.MappingNode: for _,v:=range n.Values{dump(v,ind+2)}
 case *ast.MappingValueNode: dump(n.Key.(ast.Node),ind+2);dump(n.Value,ind+2)
 case *ast.SequenceNode: for _,v:=range n.Values{dump(v,ind+2)}
 case *ast.AnchorNode: dump(n.Value,ind+2)
 case *ast.MappingKeyNode: dump(n.Value,ind+2)
 case *ast.TagNode: dump(n.Value,ind+2)
 case *ast.IntegerNode: fmt.Printf("%T %v\n",n.Value,n.Value)
 case *ast.StringNode: fmt.Printf("%q\n",n.Value)
 }
}
func main(){
 for _,s:=range []string{
 "a: 1\nb:\n  - x: 1\n    y: 2\n  - z\n","a: &q {b: 1}\nc: *q\n<<: *q\n","host: *\n","a: [::1]:80\n","a: {b: *}\n","a: b: c\n","a:\n\tb: 1\n","a: 1\na: 2\n","a: 1\n---\nb: 1\n","---\n","# hi\n","","a","- a\n","? a\n: b\n","? {a: b}\n: c\n","!!str a: !!int 3\n","a: |\n  x\n  y\n","a: \"x\nb: 1\n","a: [1, 2\nb: 3\n","{a: 1, b}\n","a: 0x10\nb: 010\nc: 1_000\nd: 99999999999999999999\ne: 1e3\nf: .inf\ng: ~\nh: 2001-01-01\ni: 30s\nj: yes\nk: True","a:\n  - b\n c: d\n","é: x\n","a: 'é' # x\nb: [é, x]","a: :8080\nb: 1.2.3.4:80","%YAML 1.2\n---\na: 1\n","a: 1\n...\n","1: 2\ntrue: 3\nnull: 3\n","a: \x00","a: 1\r\nb: 2\r\n  c: 3\r\n","a: @x\n","a: `x\n","a: %x\n", "a: - b\n","a: x\nb","a:\n- b: 1\n- c: [*x]\n","\xef\xbb\xbfa: 1\n","a: \"\\q\"","a: b\n--- \n---\nc: d", "pools:\n  - name: a\n     slots: 3\n"}{
  fmt.Printf("=== %q\n",s)
  func(){ defer func(){ if r:=recover();r!=nil{fmt.Println("PANIC",r)}}()
  f,err:=parser.ParseBytes([]byte(s),0,parser.AllowDuplicateMapKey())
  if err!=nil { var e yaml.Error; fmt.Printf("%T\n", err); if errors.As(err,&e){t:=e.GetToken(); if t!=nil&&t.Position!=nil {fmt.Printf("ERR %d:%d %q msg=%s\n",t.Position.Line,t.Position.Column,t.Value,e.GetMessage())}else{fmt.Println("ERR notok",e.GetMessage())}} else {fmt.Println("ERR other",err)};return}
  for _,d:=range f.Docs {fmt.Println("doc");dump(d.Body,1)}
  }()
 }
 if len(os.Args)>1 {
 n:=1<<20
 for name,s:=range map[string]string{"flat":strings.Repeat("a: 1\n",n/5),"list":strings.Repeat("- {a: 1, b: 2}\n",n/15),"bracket":strings.Repeat("[",20000),"brace":strings.Repeat("{a: ",5000),"dash":strings.Repeat("- ",20000),"q":strings.Repeat("? ",20000),"tag":strings.Repeat("!a ",20000),"anchor":strings.Repeat("&a ",20000),"bang":strings.Repeat("! ",20000),"comment":strings.Repeat("# a\n",n/4),"nl":strings.Repeat("\n",n),"docs":strings.Repeat("---\n",n/4),"plain":strings.Repeat("a\n",n/2),"long":strings.Repeat("a",n),"lit":"a: |\n"+strings.Repeat("  a\n",n/4),"dq":"a: \""+strings.Repeat("a\n",n/2)+"\"","dqesc":"a: \""+strings.Repeat("\\n",n/2)+"\"","colon":strings.Repeat("a:",20000), "comma":"["+strings.Repeat(",",n/2)+"]", "flowl":"["+strings.Repeat("a,",n/2)+"]","sp":strings.Repeat(" ",n),"alias":"["+strings.Repeat("*a,",n/3)+"]"}{
  st:=time.Now(); tk:=lexer.Tokenize(s); lx:=time.Since(st)
  f,err:=parser.Parse(tk,0,parser.AllowDuplicateMapKey()); _=f
  es:=""; if err!=nil{es="err"}
  fmt.Println(name,len(s),lx,time.Since(st),es)
 }}
}
