import time
import pytest
from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from tests.factories.window import MORNING, window, TODAY, wish
import caseload.db.dosing.facts as F, caseload.db.medication.record as R, caseload.db.dosing.doses as D
from caseload.domain.dosing import Giving, EVERYTHING_COMMITTED
from caseload.domain.access import Act
from caseload.db.access import reach_of
from decimal import Decimal
from caseload.domain.medicines import *
pytestmark = pytest.mark.anyio
async def test_x(connection):
    here = await window(connection)
    orders=[]
    for i in range(30):
        c = await here.another_client()
        orders.append(await here.order(client=c))
    for o in orders: await here.give(o)
    o=orders[0]
    g=Giving(client=o.client,order=o.id,medicine=o.medicine,form=o.form,amount_mg=Decimal(60),part=DosePart.WHOLE,given_at=MORNING,supervised=True)
    drv=(await connection.get_raw_connection()).driver_connection
    for name,st,par in (("lock",R._LOCK,{"client":o.client,**reach_of(here.nurse.reach(Act.RECORD_DOSE),at=MORNING)}),("facts",F.FACTS,F.given_to(g,TODAY,EVERYTHING_COMMITTED))):
        c=st.compile(dialect=PGDialect_asyncpg()); sql=str(c); vals=[{**c.params,**par}[n] for n in c.positiontup]
        for mode in ("force_generic_plan","force_custom_plan"):
            await drv.execute(f"set plan_cache_mode={mode}")
            p=await drv.prepare("explain (analyze, timing off, format json) "+sql)
            import json
            for _ in range(7): r=await p.fetchval(*vals)
            j=r if not isinstance(r,str) else json.loads(r)
            print(name,mode,"plan ms",j[0]["Planning Time"],"exec ms",j[0]["Execution Time"])
            q=await drv.prepare(sql)
            for _ in range(10): await q.fetchrow(*vals)
            t=time.perf_counter();c0=time.process_time()
            for _ in range(200): await q.fetchrow(*vals)
            print("   driver wall us",(time.perf_counter()-t)*5e3,"cpu us",(time.process_time()-c0)*5e3)
